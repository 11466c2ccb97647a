/** Why a period is not restated; nothing has been written. The message is for a person. */
export class RestatementRefused extends Error {
  override readonly name = 'RestatementRefused';
}
