/**
 * Raised whenever the fold answers anything else for the same log, or states are stored in another form; a store
 * of another version is rebuilt.
 * `golden-log.spec.ts` fails when the answer changes and this does not.
 */
export const FOLD_VERSION = 7;
