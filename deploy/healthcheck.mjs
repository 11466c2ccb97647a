// Asks the service in this container whether it is `live` or `ready`; the exit code is the answer.
const [question = 'live'] = process.argv.slice(2);
const port = process.env.GRAVITY_PORT || '8080';

try {
  const response = await fetch(`http://127.0.0.1:${port}/health/${question}`);
  if (!response.ok) console.error(await response.text());
  process.exitCode = response.ok ? 0 : 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
