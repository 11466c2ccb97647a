import { expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { describeWithServers } from './servers.js';

await describeWithServers('the servers of the suite', ({ brokers, registryUrl }) => {
  it('have a broker that answers', async () => {
    const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const cluster = await admin.describeCluster();
    await admin.disconnect();
    expect(cluster.brokers.length).toBeGreaterThan(0);
  });

  it('have a registry that answers', async () => {
    const response = await fetch(`${registryUrl}/subjects`);
    expect(response.status).toBe(200);
    expect(Array.isArray(await response.json())).toBe(true);
  });
});
