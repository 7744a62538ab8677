/** What a figure should be, beside what it is. A goal that is missed is printed and fails nothing: the machine may be busy. */
export interface Goal {
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** `0.21  (goal: at most 0.15: MISSED)` */
export function withGoal(reached: number, digits: number, { atMost, atLeast }: Goal): string {
  const met = (atMost === undefined || reached <= atMost) && (atLeast === undefined || reached >= atLeast);
  const wanted = atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`;
  return `${reached.toFixed(digits)}  (goal: ${wanted}: ${met ? 'met' : 'MISSED'})`;
}
