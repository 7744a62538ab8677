/** The port between the gateway and one pod's traffic ports: sends requests, keeping connections for the next ones. */
import type { Dispatcher } from 'undici';
import type { PodAddress } from '../../common/wire/announcement.ts';

export interface PodChannel {
  /** Never throws: the handler hears of every failure, also of those before anything was sent. */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void;
  /** The pod cannot be connected to any more, so that what it was sent waits in vain. For a request that has heard nothing for a while, to be asked again. */
  isLost(): boolean;
}

export interface PodConnection {
  readonly http: PodChannel;
  /** Undefined for a pod that does not speak gRPC. */
  readonly grpc: PodChannel | undefined;
  /** Takes no further request; those under way go on. */
  close(): void;
}

export type ConnectPod = (address: PodAddress) => PodConnection;
