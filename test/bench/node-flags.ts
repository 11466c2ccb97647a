/**
 * How Node is started for what is measured. A stream makes many objects that live for a batch or two; with the
 * default young generation (16 MiB a semi-space) they are copied into the old one and have to be collected there.
 * package.json starts the bench itself with the same.
 */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=256'];

/** As the image starts services: collecting a young generation of a quarter takes a quarter, and nobody waits for it. */
export const SWIFT_NODE_FLAGS: readonly string[] = ['--max-semi-space-size=64'];
