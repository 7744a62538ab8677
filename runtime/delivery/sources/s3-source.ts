/** Models in S3, and in what speaks its protocol (MinIO, Ceph, R2): `AWS_ENDPOINT_URL`. */
import { DownloadError } from '../download-error.ts';
import type { Authorize, Target } from '../http/http-client.ts';
import type { ResponseHead } from '../http/response-head.ts';
import { findAwsCredentials, partition } from './aws-credentials.ts';
import { kept } from './kept.ts';
import { setting } from './setting.ts';
import { signS3 } from './s3-signature.ts';
import {
  encodePath,
  folderOf,
  listPages,
  MOST_LIST_BYTES,
  sourceOfPaths,
  type Source,
  type SourceOptions,
} from './source.ts';

/** Renewed this long before they expire. */
const RENEW_MILLISECONDS = 5 * 60_000;

export function s3Source(bucket: string, key: string, options: SourceOptions): Source {
  const { client, environment, clock } = options;
  const endpoint = setting(environment, 'AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL');
  let region = setting(environment, 'AWS_REGION', 'AWS_DEFAULT_REGION') ?? 'us-east-1';
  const find = (): ReturnType<typeof findAwsCredentials> =>
    findAwsCredentials({ ...options, region, isAws: endpoint === undefined });
  const credentials = kept(find, clock, RENEW_MILLISECONDS);
  const authorize: Authorize = async ({ method, url }) => {
    const own = await credentials();
    return own === undefined ? {} : signS3({ method, url, region, now: clock.now() }, own);
  };
  const base = (): URL => bucketUrl(bucket, region, endpoint, environment['AWS_S3_ADDRESSING_STYLE']);
  /** A bucket is elsewhere than AWS_REGION says, or nothing says where: S3 itself does. */
  const onRefusal = ({ headers }: ResponseHead): boolean => {
    const other = headers['x-amz-bucket-region'];
    if (other === undefined || other === region || !/^[a-z0-9-]{1,32}$/.test(other)) return false;
    region = other;
    return true;
  };
  const target = (path: string): Target => ({
    get url() {
      const url = base();
      url.pathname += encodePath(path);
      return url;
    },
    authorize,
    onRefusal,
  });
  const list = (signal: AbortSignal): Promise<readonly string[]> => {
    const folder = folderOf(key);
    return listPages(folder, async (page) => {
      const pageTarget: Target = {
        authorize,
        onRefusal,
        get url() {
          const url = base();
          url.searchParams.set('list-type', '2');
          url.searchParams.set('prefix', folder);
          if (page !== undefined) url.searchParams.set('continuation-token', page);
          // As it is signed: a space is %20 there.
          url.search = url.search.replaceAll('+', '%20');
          return url;
        },
      };
      const { text } = await client.text(pageTarget, {}, MOST_LIST_BYTES, signal);
      return parseList(text);
    });
  };
  return sourceOfPaths(key, target, list);
}

/** With a "/" at its end. AWS wants the bucket in the host, other services mostly in the path; so does a bucket with dots, for which no certificate is. */
function bucketUrl(bucket: string, region: string, endpoint: string | undefined, style: string | undefined): URL {
  const url = URL.parse(endpoint ?? `https://s3.${region}.${partition(region)}`);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new DownloadError('AWS_ENDPOINT_URL must be an http or https address', 'lasting');
  }
  const isVirtual = style === 'virtual' || (style !== 'path' && endpoint === undefined && !bucket.includes('.'));
  const folder = url.pathname.replace(/\/*$/, '/');
  if (isVirtual) url.hostname = `${bucket}.${url.hostname}`;
  url.pathname = isVirtual ? folder : `${folder}${encodePath(bucket)}/`;
  url.search = '';
  return url;
}

function parseList(text: string): { readonly names: readonly string[]; readonly next: string | undefined } {
  const names = [...text.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, name = '']) => unescapeXml(name));
  const token = text.includes('<IsTruncated>true<') ? /<NextContinuationToken>([^<]+)</.exec(text)?.[1] : undefined;
  return { names, next: token === undefined ? undefined : unescapeXml(token) };
}

function unescapeXml(text: string): string {
  const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
  return text.replace(
    /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w{1,4}));/gi,
    (whole, decimal?: string, hexadecimal?: string, name = '') => {
      const code = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number(decimal);
      return Number.isNaN(code) ? (named[name as string] ?? whole) : String.fromCodePoint(Math.min(code, 0x10ffff));
    },
  );
}
