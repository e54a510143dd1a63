// The little the operator side needs of a connection: publish one message and know when the broker has it.

export interface Publisher {
  /** Resolves when the broker has acknowledged the message. */
  publish(message: { topic: string; payload: Uint8Array | string; retain?: boolean }): Promise<void>;
}
