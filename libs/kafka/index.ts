export { KafkaLog, type KafkaLogOptions } from './kafka-log.js';
export { type LogStatus } from './status-board.js';
export { type LogAlarm } from './kafka-consumer.js';
export { type ConnectionSettings } from './cluster-link.js';
