/**
 * Keys of the Secret that `model.secretName` names, by the environment variable of the runtime that carries each. Where a client of the service has a usual
 * variable, the key is called the same; the others are as in Kubernetes' own kinds of Secrets.
 */
export const MODEL_SECRET_ENVIRONMENT = {
  token: 'PILOTLIGHT_MODEL_TOKEN',
  username: 'PILOTLIGHT_MODEL_USERNAME',
  password: 'PILOTLIGHT_MODEL_PASSWORD',
  'ca.crt': 'PILOTLIGHT_MODEL_CA',
  AWS_ACCESS_KEY_ID: 'AWS_ACCESS_KEY_ID',
  AWS_SECRET_ACCESS_KEY: 'AWS_SECRET_ACCESS_KEY',
  AWS_SESSION_TOKEN: 'AWS_SESSION_TOKEN',
  AWS_REGION: 'AWS_REGION',
  AWS_DEFAULT_REGION: 'AWS_DEFAULT_REGION',
  AWS_ENDPOINT_URL: 'AWS_ENDPOINT_URL',
  AWS_ENDPOINT_URL_S3: 'AWS_ENDPOINT_URL_S3',
  AWS_S3_ADDRESSING_STYLE: 'AWS_S3_ADDRESSING_STYLE',
  GOOGLE_APPLICATION_CREDENTIALS_JSON: 'GOOGLE_APPLICATION_CREDENTIALS_JSON',
  STORAGE_EMULATOR_HOST: 'STORAGE_EMULATOR_HOST',
  HF_TOKEN: 'HF_TOKEN',
  HF_ENDPOINT: 'HF_ENDPOINT',
} as const;
