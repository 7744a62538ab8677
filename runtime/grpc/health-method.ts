/** `grpc.health.v1.Health`, for probes and clients that ask before they call. */
import { GRPC_STATUS } from '../../common/wire/grpc.ts';
import { quote } from '../protocol/protocol-error.ts';
import { INT32, STRING } from './protobuf/kinds.ts';
import { message, single } from './protobuf/message.ts';
import { CallError } from './call-error.ts';
import { unary, type Method } from './unary-method.ts';

const HealthCheckRequest = message({ service: single(1, STRING) });
const HealthCheckResponse = message({ status: single(1, INT32) });

const SERVING = 1;
const NOT_SERVING = 2;

/** `service`: the one whose health is asked for, beside that of the whole server, whose name is empty. */
export function healthMethods(service: string, isReady: () => boolean): Readonly<Record<string, Method>> {
  return {
    Check: unary(HealthCheckRequest, HealthCheckResponse, ({ service: asked }) => {
      if (asked !== '' && asked !== service) {
        throw new CallError(
          GRPC_STATUS.NOT_FOUND,
          `There is no service ${quote(asked)} here; ${quote(service)} is served.`,
        );
      }
      return { status: isReady() ? SERVING : NOT_SERVING };
    }),
    // Open for as long as its client lives, it would count as demand, and a model that is watched would never sleep.
    Watch: (_call, fail) => {
      fail(
        new CallError(
          GRPC_STATUS.UNIMPLEMENTED,
          'Health is not watched here, which would keep a model awake; call Check.',
        ),
      );
    },
  };
}
