/** Ports of a runtime pod, by their names. */
export const RUNTIME_PORTS = { http: 8080, grpc: 8081, metrics: 9090, control: 9091 } as const;
