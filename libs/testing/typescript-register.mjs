// `node --import` this, and a child process of a test runs the repository's TypeScript as it is, without a build.
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
