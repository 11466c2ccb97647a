// `node --import …/typescript-loader.mjs app.ts`
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
