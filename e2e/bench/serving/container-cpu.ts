/** The processor time of containers whose processes run on this machine: where the node is another one, nobody here can see it. */
import { readdirSync, readFileSync } from 'node:fs';
import { containerIds, type RunningPod } from '../../cluster/support/resources.ts';
import { cpuMicroseconds } from '../../server/processor-time.ts';

/** Microseconds so far, by the name of the container. */
export type CpuTimes = Readonly<Record<string, number>>;

export class ContainerCpu {
  readonly #processes: Readonly<Record<string, readonly string[]>>;

  private constructor(processes: Readonly<Record<string, readonly string[]>>) {
    this.#processes = processes;
  }

  /** Undefined if any of them has no process on this machine. Containers of one name count together. */
  static find(pods: readonly RunningPod[]): ContainerCpu | undefined {
    const processes: Record<string, string[]> = {};
    for (const { name, id } of pods.flatMap(containerIds)) {
      const found = processesOf(id);
      if (found.length === 0) return undefined;
      processes[name] = [...(processes[name] ?? []), ...found];
    }
    return new ContainerCpu(processes);
  }

  read(): CpuTimes {
    return Object.fromEntries(
      Object.entries(this.#processes).map(([name, processes]) => [
        name,
        processes.reduce((sum, process) => sum + cpuMicroseconds(process), 0),
      ]),
    );
  }
}

/** The id is in the cgroup of each, in both versions of cgroups. */
function processesOf(container: string): string[] {
  return readdirSync('/proc').filter((process) => {
    if (!/^\d+$/.test(process)) return false;
    try {
      return readFileSync(`/proc/${process}/cgroup`, 'utf8').includes(container);
    } catch {
      // It has ended meanwhile.
      return false;
    }
  });
}
