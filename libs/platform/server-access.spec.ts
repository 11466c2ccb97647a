import { describe, expect, it } from '@jest/globals';
import { TempDir } from '#testing';
import { writeFileSync } from 'node:fs';
import { kafkaAccess, registryAccess } from './server-access.js';

const NONE = { kafkaTls: false, schemaRegistryPassword: '' };

describe('the way into Kafka', () => {
  it('is open unless the settings say otherwise', () => {
    expect(kafkaAccess(NONE)).toEqual({});
    expect(kafkaAccess({ ...NONE, kafkaTls: true })).toEqual({ ssl: true });
  });

  it('takes an authority of its own and a login', () => {
    const directory = new TempDir('authority');
    try {
      const kafkaTlsCaFile = directory.join('ca.pem');
      writeFileSync(kafkaTlsCaFile, 'PEM');
      const login = {
        kafkaSaslMechanism: 'scram-sha-512',
        kafkaSaslUser: 'u',
        kafkaSaslPassword: 'p',
      } as const;
      expect(kafkaAccess({ ...NONE, kafkaTls: true, kafkaTlsCaFile, ...login })).toEqual({
        ssl: { ca: ['PEM'] },
        sasl: { mechanism: 'scram-sha-512', username: 'u', password: 'p' },
      });
    } finally {
      directory.remove();
    }
  });

  it.each([
    [{ kafkaTlsCaFile: '/ca.pem' }, /KAFKA_TLS has to be true/],
    [{ kafkaTls: true, kafkaTlsCaFile: '/nowhere/ca.pem' }, /KAFKA_TLS_CA_FILE cannot be read: .*ENOENT/],
    [{ kafkaSaslUser: 'u', kafkaSaslPassword: 'p' }, /need KAFKA_SASL_MECHANISM too/],
    [{ kafkaSaslMechanism: 'plain', kafkaSaslUser: 'u' } as const, /KAFKA_SASL_PASSWORD are needed too/],
  ])('refuses what does not go together: %j', (settings, message) => {
    expect(() => kafkaAccess({ ...NONE, ...settings })).toThrow(message);
  });
});

describe('the way into the registry', () => {
  it('is a login where a user is named', () => {
    expect(registryAccess(NONE)).toBeNull();
    expect(registryAccess({ ...NONE, schemaRegistryUser: 'u', schemaRegistryPassword: 'p' })).toEqual({
      username: 'u',
      password: 'p',
    });
  });
});
