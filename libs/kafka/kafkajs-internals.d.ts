/**
 * The parts of KafkaJS 2.2.4 below its public API that this adapter builds on: sockets with TLS and SASL,
 * metadata, coordinators and the codecs of the small requests. `kafkajs-version.ts` refuses any other version.
 */

declare module 'kafkajs/src/cluster/index.js' {
  import type { Socket } from 'node:net';
  import type { ConnectionOptions } from 'node:tls';
  import type { Logger } from 'kafkajs/src/loggers/index.js';

  /** What is sent as one request: an encoder of KafkaJS, or anything of this shape. */
  export interface Encoded {
    readonly buf: Buffer;
    readonly buffer: Buffer;
  }
  export interface ProtocolCall<T> {
    readonly request: {
      readonly apiKey: number;
      readonly apiVersion: number;
      readonly apiName: string;
      encode(): Promise<Encoded>;
    };
    readonly response: {
      decode(payload: Buffer): Promise<object>;
      parse(decoded: object): Promise<T>;
    };
    readonly requestTimeout?: number;
    readonly logResponseError?: boolean;
  }
  export interface PartitionMetadata {
    readonly partitionId: number;
    readonly leader: number;
  }
  export interface TopicPartitions {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number }[];
  }
  export interface ProducerIdentity {
    readonly transactionalId: string;
    readonly producerId: string;
    readonly producerEpoch: number;
  }
  export interface Broker {
    readonly nodeId: number;
    readonly connectionPool: { send<T>(call: ProtocolCall<T>): Promise<T> };
    joinGroup(request: {
      groupId: string;
      sessionTimeout: number;
      rebalanceTimeout: number;
      memberId: string;
      groupProtocols: readonly { name: string; metadata: Buffer }[];
    }): Promise<{
      generationId: number;
      leaderId: string;
      memberId: string;
      members: readonly { memberId: string; memberMetadata: Buffer }[];
    }>;
    syncGroup(request: {
      groupId: string;
      generationId: number;
      memberId: string;
      groupAssignment: readonly { memberId: string; memberAssignment: Buffer }[];
    }): Promise<{ memberAssignment: Buffer }>;
    heartbeat(request: { groupId: string; groupGenerationId: number; memberId: string }): Promise<unknown>;
    leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>;
    listOffsets(request: {
      replicaId: number;
      isolationLevel: number;
      topics: readonly {
        topic: string;
        partitions: readonly { partition: number; timestamp: number }[];
      }[];
    }): Promise<{
      responses: readonly { topic: string; partitions: readonly { partition: number; offset: string }[] }[];
    }>;
    describeConfigs(request: {
      includeSynonyms: boolean;
      resources: readonly { type: number; name: string; configNames: readonly string[] }[];
    }): Promise<{
      resources: readonly { configEntries: readonly { configName: string; configValue: string }[] }[];
    }>;
    initProducerId(request: { transactionalId?: string; transactionTimeout: number }): Promise<{
      producerId: string;
      producerEpoch: number;
    }>;
    addPartitionsToTxn(
      request: ProducerIdentity & {
        topics: readonly { topic: string; partitions: readonly number[] }[];
      },
    ): Promise<unknown>;
    addOffsetsToTxn(request: ProducerIdentity & { groupId: string }): Promise<unknown>;
    txnOffsetCommit(
      request: ProducerIdentity & {
        groupId: string;
        topics: readonly {
          topic: string;
          partitions: readonly { partition: number; offset: string }[];
        }[];
      },
    ): Promise<unknown>;
  }
  export type SocketFactory = (target: {
    host: string;
    port: number;
    ssl: ConnectionOptions | boolean | undefined;
    onConnect: () => void;
  }) => Socket;
  export interface ClusterOptions {
    readonly logger: Logger;
    readonly socketFactory: SocketFactory;
    readonly brokers: readonly string[];
    readonly ssl?: unknown;
    readonly sasl?: unknown;
    readonly clientId: string;
    readonly connectionTimeout: number;
    readonly requestTimeout: number;
    readonly enforceRequestTimeout: boolean;
    readonly metadataMaxAge: number;
    readonly allowAutoTopicCreation: boolean;
    readonly maxInFlightRequests: number | null;
    readonly isolationLevel: number;
    readonly retry: { readonly retries: number; readonly initialRetryTime: number };
  }
  export default class Cluster {
    constructor(options: ClusterOptions);
    connect(): Promise<void>;
    disconnect(): Promise<void>;
    refreshMetadata(): Promise<void>;
    refreshMetadataIfNecessary(): Promise<void>;
    addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
    findBroker(options: { nodeId: number | string }): Promise<Broker>;
    findControllerBroker(): Promise<Broker>;
    findGroupCoordinator(options: { groupId: string; coordinatorType: 0 | 1 }): Promise<Broker>;
    findTopicPartitionMetadata(topic: string): readonly PartitionMetadata[];
  }
}

declare module 'kafkajs/src/loggers/index.js' {
  import type { LogEntry } from 'kafkajs';

  export type Logger = object;
  const loggers: {
    createLogger(options: {
      level: number;
      logCreator: (level: number) => (entry: LogEntry) => void;
    }): Logger;
  };
  export default loggers;
}

declare module 'kafkajs/src/network/requestQueue/index.js' {
  /** One queue per connection. */
  export default class RequestQueue {
    throttledUntil: number;
    pending: readonly unknown[];
    scheduleCheckPendingRequests(): void;
  }
}

declare module 'kafkajs/src/protocol/encoder.js' {
  export default class Encoder {
    constructor(initialSize?: number);
    readonly buf: Buffer;
    readonly buffer: Buffer;
    writeInt8(value: number): this;
    writeInt16(value: number): this;
    writeInt32(value: number): this;
    writeInt64(value: string | number): this;
    writeString(value: string | null): this;
    writeUVarInt(value: number): this;
    writeUVarIntString(value: string | null): this;
    writeBytes(value: Buffer): this;
  }
}

declare module 'kafkajs/src/protocol/recordBatch/crc32C/index.js' {
  const crc32C: (bytes: Buffer) => number;
  export default crc32C;
}

declare module 'kafkajs/src/consumer/assignerProtocol.js' {
  const protocol: {
    MemberMetadata: {
      encode(metadata: { version: number; topics: readonly string[]; userData: Buffer }): Buffer;
      decode(bytes: Buffer): { version: number; topics: readonly string[]; userData: Buffer };
    };
    MemberAssignment: {
      encode(assignment: {
        version: number;
        assignment: Readonly<Record<string, readonly number[]>>;
        userData: Buffer;
      }): Buffer;
      decode(bytes: Buffer): { assignment: Readonly<Record<string, readonly number[]>> } | null;
    };
  };
  export default protocol;
}

declare module 'kafkajs-snappy' {
  const codec: () => { decompress(bytes: Buffer): Promise<Buffer> };
  export default codec;
}

declare module 'lz4js' {
  const lz4: { decompress(frame: Uint8Array): Uint8Array };
  export default lz4;
}
