/** Where requests go, and what they say besides. */
export interface Target {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
}
