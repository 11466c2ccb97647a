import { Command } from 'commander';
import { type CliIo } from '../cli-io.js';
export function figuresCommand(_io: CliIo): Command {
  return new Command('figures');
}
