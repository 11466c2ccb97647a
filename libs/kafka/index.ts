export { KafkaLog, type KafkaLogOptions, type LogStatus } from './kafka-log.js';
export { type LogAlarm } from './kafka-consumer.js';
export { type ConnectionSettings } from './cluster-link.js';
