import 'reflect-metadata';
import { runApp } from '#service';
import { standalone } from './standalone.js';

await runApp(standalone);
