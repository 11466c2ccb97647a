// For the specs: runs the commands that its parent names in one process, since loading `gravity` takes longer than
// most of them. What a command prints is on stdout and stderr, as with `main.ts`.
import { runCli } from '../program.js';

interface Request {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends what the command has printed, on stdout and on stderr. */
  readonly mark: string;
}

let mark = '';
let code: number | null = null;

process.on('message', (request: Request) => {
  ({ mark } = request);
  code = null;
  // Without the channel nothing keeps this process but what the command has open.
  process.channel?.unref();
  void runCli(request.argv, {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    isTerminal: false,
    env: request.env,
    signal: new AbortController().signal,
  }).then((answer) => (code = answer));
});
// So a command is over when a process of its own would be: one that leaves a handle open never is.
process.on('beforeExit', () => {
  process.stdout.write(mark);
  process.stderr.write(mark);
  process.channel?.ref();
  process.send?.({ code });
});
process.on('disconnect', () => process.exit());
