/** Names of our own topics. Their settings are in `libs/contracts/topics.ts`. */
export const TOPICS = {
  relationshipLog: 'relationship-log',
  intakeProgress: 'intake-progress',
  logGenerations: 'log-generations',
  tierChanges: 'tier-changes',
  tiers: 'tiers',
  deadLetters: 'dead-letters',
} as const;
