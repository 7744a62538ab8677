/** The port between the gateway and one pod's traffic port: sends requests by HTTP, keeping connections for the next ones. */
import type { Dispatcher } from 'undici';
import type { PodAddress } from '../../common/wire/announcement.ts';

export interface PodConnection {
  /** Never throws: the handler hears of every failure, also of those before anything was sent. */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void;
  /** Takes no further request; those under way go on. */
  close(): void;
}

export type ConnectPod = (address: PodAddress) => PodConnection;
