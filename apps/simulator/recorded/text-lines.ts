/** A file as lines of text: gzip by its magic bytes, UTF-8 with or without BOM, lines of bounded length. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { messageOf } from '#pipeline';

/** Longer than any real row; a longer line is one reject, never kept in memory. */
export const LINE_CHARS_MAX = 1_048_576;

export interface TextLine {
  /** 1-based number of the line in the file. */
  readonly line: number;
  /** Without its `\n`, with its `\r`; null for a line that was longer than `LINE_CHARS_MAX`. */
  readonly text: string | null;
}

export interface ReadProgress {
  /** Bytes of the file as it lies on the disk. */
  readonly bytesRead: number;
  readonly bytesTotal: number;
}

export class UnreadableFileError extends Error {
  override readonly name = 'UnreadableFileError';
}

/**
 * Lines in blocks, as they were read. Invalid UTF-8 becomes U+FFFD.
 * @returns the SHA-256 (hex) of the file's bytes, once all has been read
 * @throws UnreadableFileError   missing, not a file, UTF-16, or broken gzip
 */
export async function* readLineBlocks(
  file: string,
  onProgress: (progress: ReadProgress) => void = () => undefined,
): AsyncGenerator<readonly TextLine[], string> {
  const { size, gzip } = await inspect(file);
  const hash = createHash('sha256');
  let bytesRead = 0;
  const raw = createReadStream(file, { highWaterMark: 1 << 18 });
  raw.on('data', (chunk) => {
    hash.update(chunk);
    bytesRead += chunk.length;
  });
  const bytes = gzip ? raw.pipe(createGunzip({ chunkSize: 1 << 18 })) : raw;
  if (gzip) raw.on('error', (error) => bytes.destroy(error));
  const decoder = new TextDecoder('utf-8');
  const splitter = new LineSplitter();
  try {
    for await (const chunk of bytes as AsyncIterable<Buffer>) {
      onProgress({ bytesRead, bytesTotal: size });
      yield splitter.push(decoder.decode(chunk, { stream: true }));
    }
  } catch (error) {
    throw new UnreadableFileError(`${file}: ${messageOf(error)}`);
  } finally {
    raw.destroy();
  }
  yield [...splitter.push(decoder.decode()), ...splitter.end()];
  return hash.digest('hex');
}

async function inspect(file: string): Promise<{ size: number; gzip: boolean }> {
  try {
    const info = await stat(file);
    if (!info.isFile()) throw new Error('not a file');
    const handle = await open(file, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
      const magic = bytesRead < 2 ? 0 : buffer.readUInt16BE(0);
      if (magic === 0xfeff || magic === 0xfffe) throw new Error('is UTF-16: convert it to UTF-8');
      return { size: info.size, gzip: magic === 0x1f8b };
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new UnreadableFileError(`${file}: ${messageOf(error)}`);
  }
}

/** Cuts text at `\n`, keeping a rest between pushes. */
export class LineSplitter {
  private rest = '';
  private line = 0;
  /** Within a line that is too long already: its text is dropped up to its end. */
  private dropping = false;

  constructor(private readonly charsMax: number = LINE_CHARS_MAX) {}

  push(text: string): TextLine[] {
    const lines: TextLine[] = [];
    const all = this.rest === '' ? text : this.rest + text;
    let from = 0;
    for (let end = all.indexOf('\n'); end >= 0; end = all.indexOf('\n', from)) {
      lines.push(this.next(all, from, end));
      from = end + 1;
    }
    this.rest = all.slice(from);
    if (this.dropping || this.rest.length > this.charsMax) {
      this.dropping = true;
      this.rest = '';
    }
    return lines;
  }

  /** The last line, where the file does not end in `\n`. */
  end(): TextLine[] {
    const last = this.rest;
    this.rest = '';
    return last === '' && !this.dropping ? [] : [this.next(last, 0, last.length)];
  }

  private next(all: string, from: number, end: number): TextLine {
    this.line++;
    const tooLong = this.dropping || end - from > this.charsMax;
    this.dropping = false;
    return { line: this.line, text: tooLong ? null : all.slice(from, end) };
  }
}
