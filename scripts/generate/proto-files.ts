/** The module that gRPC's reflection answers from: each definition compiled to a FileDescriptorProto, with the names that are in it. */
import { basename } from 'node:path';
import { format } from 'prettier';
import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor/index.js';

interface Named {
  name: string;
}

interface Field extends Named {
  typeName?: string;
}

interface Message extends Named {
  field?: Field[];
  nestedType?: Message[];
  enumType?: Named[];
  options?: { readonly mapEntry?: boolean };
}

interface File extends Named {
  readonly package: string;
  readonly service?: readonly Named[];
  readonly messageType?: Message[];
  readonly enumType?: Named[];
}

/** From the text of each file, by its path. */
export function generateProtoFiles(texts: ReadonlyMap<string, string>, comment: string): Promise<string> {
  const files = [...texts].map(([path, text]) => JSON.stringify(compile(basename(path), text)));
  const module = `${comment}import type { ProtoFile } from '../reflection.ts';\n\nexport const PROTO_FILES: readonly ProtoFile[] = [${files.join()}];\n`;
  return format(module, { parser: 'typescript', singleQuote: true, printWidth: 120 });
}

function compile(name: string, text: string): object {
  const root = new protobuf.Root();
  const { package: packageName = '' } = protobuf.parse(text, root, { keepCase: true });
  root.resolveAll();
  const { file: all } = (root as unknown as { toDescriptor(syntax: 'proto3'): DescriptorSet }).toDescriptor('proto3');
  const file = all.find((one) => one.package === packageName)?.toJSON();
  if (file === undefined) throw new Error(`${name} defines nothing.`);
  file.name = name;
  for (const message of file.messageType ?? []) nameMapEntries(message);
  const symbols = namesIn(file, packageName);
  for (const message of file.messageType ?? []) qualify(message, `${packageName}.${message.name}`, new Set(symbols));
  const compiled = descriptor.FileDescriptorProto.encode(descriptor.FileDescriptorProto.fromObject(file)).finish();
  const services = (file.service ?? []).map((service) => `${packageName}.${service.name}`);
  return { name, services, symbols, descriptor: Buffer.from(compiled).toString('base64') };
}

interface DescriptorSet {
  readonly file: readonly { readonly package: string; toJSON(): File }[];
}

/** Full names of all messages and enums. */
function namesIn(
  { messageType = [], nestedType = messageType, enumType = [] }: Partial<File & Message>,
  scope: string,
): string[] {
  return [
    ...enumType.map(({ name }) => `${scope}.${name}`),
    ...nestedType.flatMap((message) => [
      `${scope}.${message.name}`,
      ...namesIn({ nestedType: [], ...message }, `${scope}.${message.name}`),
    ]),
  ];
}

/** The compiler of protobuf names the entries of a map `labels` LabelsEntry, and readers insist on it. */
function nameMapEntries(message: Message): void {
  for (const nested of message.nestedType ?? []) {
    nameMapEntries(nested);
    if (nested.options?.mapEntry !== true) continue;
    const plain = nested.name;
    nested.name = `${plain}Entry`;
    for (const field of message.field ?? []) if (field.typeName === plain) field.typeName = nested.name;
  }
}

/** Types of fields by their full names, which begin with a dot: a relative one is not understood by every reader. */
function qualify(message: Message, scope: string, known: ReadonlySet<string>): void {
  for (const field of message.field ?? []) {
    if (field.typeName === undefined || field.typeName.startsWith('.')) continue;
    const parts = scope.split('.');
    while (parts.length > 0 && !known.has([...parts, field.typeName].join('.'))) parts.pop();
    if (parts.length === 0) throw new Error(`${scope}.${field.name} is of the unknown type ${field.typeName}.`);
    field.typeName = `.${[...parts, field.typeName].join('.')}`;
  }
  for (const nested of message.nestedType ?? []) qualify(nested, `${scope}.${nested.name}`, known);
}
