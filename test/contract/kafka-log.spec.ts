import { KafkaLog } from '#kafka';
import { logContract } from '../../libs/testing/log-contract.js';
import { describeWithServers } from '../servers/servers.js';

await describeWithServers('on real Kafka', ({ brokers }) => {
  logContract('Kafka', () => {
    const log = new KafkaLog({ brokers, clientId: 'contract' });
    return Promise.resolve({ log, cleanup: () => log.close() });
  });
});
