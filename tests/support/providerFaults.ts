import type { ProviderName } from '../../core/config/model.ts'

/*
 * What each provider's OpenAI-compatible endpoint answers when it refuses, as their documentation and the reports of
 * their users show it: the shapes differ, and so does where the waiting time stands.
 */

export type Refusal = { status: number; headers?: Record<string, string>; body: unknown }
export type RefusalName =
  | 'rate'
  | 'rate_wait'
  | 'quota'
  | 'server'
  | 'schema'
  | 'wrong_model'
  | 'key'
  | 'bad_json'

/** OpenAI's own shape, which Groq, DeepSeek and Ollama share. */
const openai = (
  status: number,
  message: string,
  type: string,
  code: string | null = null,
  param: string | null = null,
) => ({
  status,
  body: { error: { message, type, param, code } },
})

/** Google's, wrapped into an array by the compatible endpoint. */
const google = (code: number, status: string, message: string, details: object[] = []) => ({
  status: code,
  body: [{ error: { code, message, status, ...(details.length > 0 ? { details } : {}) } }],
})

/** OpenRouter's: a number as code, and the words of the provider behind it. */
const router = (code: number, message: string, metadata?: object) => ({
  status: code,
  body: { error: { message, code, ...(metadata ? { metadata } : {}) }, user_id: 'user_test' },
})

/** Anthropic's, which its compatible endpoint passes on. */
const anthropic = (status: number, type: string, message: string) => ({
  status,
  body: { type: 'error', error: { type, message }, request_id: 'req_test' },
})

const wait = (refusal: Refusal, headers: Record<string, string>): Refusal => ({ ...refusal, headers })

const retryInfo = (retryDelay: string) => ({
  '@type': 'type.googleapis.com/google.rpc.RetryInfo',
  retryDelay,
})
const quotaFailure = (quotaId: string) => ({
  '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
  violations: [
    { quotaMetric: 'generativelanguage.googleapis.com/generate_content_free_tier_requests', quotaId },
  ],
})
const GEMINI_QUOTA =
  'You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.'

/** Each refusal of each provider. Waiting times are of 40 s where there are any. */
export const refusals: Record<ProviderName, Record<RefusalName, Refusal>> = {
  gemini: {
    rate: google(429, 'RESOURCE_EXHAUSTED', 'Resource has been exhausted (e.g. check quota).'),
    rate_wait: google(429, 'RESOURCE_EXHAUSTED', `${GEMINI_QUOTA} Please retry in 40s.`, [
      quotaFailure('GenerateRequestsPerMinutePerProjectPerModel-FreeTier'),
      retryInfo('40s'),
    ]),
    quota: google(429, 'RESOURCE_EXHAUSTED', `${GEMINI_QUOTA} Please retry in 13.5s.`, [
      quotaFailure('GenerateRequestsPerDayPerProjectPerModel-FreeTier'),
      retryInfo('13s'),
    ]),
    server: google(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.'),
    schema: google(
      400,
      'INVALID_ARGUMENT',
      'Invalid value at response_format: json_schema uses an unsupported keyword',
    ),
    wrong_model: google(
      404,
      'NOT_FOUND',
      'models/nope is not found for API version v1main, or is not supported for generateContent.',
    ),
    key: google(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.'),
    bad_json: google(500, 'INTERNAL', 'An internal error has occurred.'),
  },
  groq: {
    rate: openai(
      429,
      'Rate limit reached for model `m` in organization `org` on requests per minute (RPM): Limit 30, Used 30, Requested 1.',
      'requests',
      'rate_limit_exceeded',
    ),
    rate_wait: wait(
      openai(
        429,
        'Rate limit reached for model `m` in organization `org` on tokens per minute (TPM): Limit 8000, Used 7800, Requested 900. Please try again in 40s.',
        'tokens',
        'rate_limit_exceeded',
      ),
      { 'retry-after': '40', 'x-ratelimit-remaining-requests': '0' },
    ),
    quota: wait(
      openai(
        429,
        'Rate limit reached for model `m` in organization `org` on tokens per day (TPD): Limit 200000, Used 199999, Requested 900. Please try again in 27m12.5s.',
        'tokens',
        'rate_limit_exceeded',
      ),
      { 'retry-after': '1633' },
    ),
    server: openai(503, 'Service Unavailable', 'internal_server_error'),
    schema: openai(
      400,
      'This model does not support response format `json_schema`. See supported models at https://console.groq.com/docs/structured-outputs#supported-models',
      'invalid_request_error',
      null,
      'response_format',
    ),
    wrong_model: openai(
      404,
      'The model `nope` does not exist or you do not have access to it.',
      'invalid_request_error',
      'model_not_found',
    ),
    key: openai(401, 'Invalid API Key', 'invalid_request_error', 'invalid_api_key'),
    bad_json: openai(
      400,
      "Failed to validate JSON. Please adjust your prompt. See 'failed_generation' for more details.",
      'invalid_request_error',
      'json_validate_failed',
    ),
  },
  openrouter: {
    rate: router(429, 'Provider returned error', {
      raw: 'm:free is temporarily rate-limited upstream. Please retry shortly, or add your own key.',
      provider_name: 'Chutes',
    }),
    rate_wait: wait(
      router(429, 'Provider returned error', { raw: 'rate limited', provider_name: 'Venice' }),
      {
        'retry-after': '40',
      },
    ),
    quota: router(402, 'Insufficient credits. Add more using https://openrouter.ai/settings/credits'),
    server: router(502, 'Provider returned error', {
      raw: 'upstream connect error',
      provider_name: 'DeepInfra',
    }),
    schema: router(
      404,
      'No endpoints found that support the requested parameters: response_format, structured_outputs',
    ),
    wrong_model: router(400, 'nope/nope is not a valid model ID'),
    key: router(401, 'No auth credentials found'),
    bad_json: {
      status: 200,
      body: { id: 'gen-test', error: { message: 'Provider returned error', code: 502 } },
    },
  },
  deepseek: {
    rate: openai(
      429,
      'Rate limit reached, please slow down your requests',
      'rate_limit_error',
      'rate_limit_exceeded',
    ),
    rate_wait: wait(openai(429, 'Rate limit reached, please slow down your requests', 'rate_limit_error'), {
      'retry-after': '40',
    }),
    quota: openai(402, 'Insufficient Balance', 'unknown_error', 'invalid_request_error'),
    server: openai(
      503,
      'Service is too busy. We advise users to temporarily switch to alternative LLM API service providers.',
      'service_unavailable_error',
    ),
    schema: openai(
      400,
      'This response_format type is unavailable now',
      'invalid_request_error',
      'invalid_request_error',
    ),
    wrong_model: openai(400, 'Model Not Exist', 'invalid_request_error', 'invalid_request_error'),
    key: openai(
      401,
      'Authentication Fails, Your api key: ****0000 is invalid',
      'authentication_error',
      'invalid_request_error',
    ),
    bad_json: openai(
      422,
      'Failed to deserialize the JSON body into the target type',
      'invalid_request_error',
      'invalid_request_error',
    ),
  },
  openai: {
    rate: openai(
      429,
      'Rate limit reached for m in organization org on requests per min (RPM): Limit 3, Used 3, Requested 1.',
      'requests',
      'rate_limit_exceeded',
    ),
    rate_wait: wait(
      openai(
        429,
        'Rate limit reached for m in organization org on tokens per min (TPM): Limit 200000. Please try again in 40s.',
        'tokens',
        'rate_limit_exceeded',
      ),
      { 'retry-after-ms': '40000', 'retry-after': '40' },
    ),
    quota: openai(
      429,
      'You exceeded your current quota, please check your plan and billing details.',
      'insufficient_quota',
      'insufficient_quota',
    ),
    server: openai(
      500,
      'The server had an error while processing your request. Sorry about that!',
      'server_error',
    ),
    schema: openai(
      400,
      "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
      'invalid_request_error',
      null,
      'response_format',
    ),
    wrong_model: openai(
      404,
      'The model `nope` does not exist or you do not have access to it.',
      'invalid_request_error',
      'model_not_found',
    ),
    key: openai(
      401,
      'Incorrect API key provided: sk-proj-********. You can find your API key at https://platform.openai.com/account/api-keys.',
      'invalid_request_error',
      'invalid_api_key',
    ),
    bad_json: openai(500, 'The model produced invalid content.', 'model_error'),
  },
  claude: {
    rate: anthropic(
      429,
      'rate_limit_error',
      'This request would exceed the rate limit for your organization',
    ),
    rate_wait: wait(
      anthropic(429, 'rate_limit_error', 'Number of request tokens has exceeded your per-minute rate limit'),
      {
        'retry-after': '40',
        'anthropic-ratelimit-requests-remaining': '0',
      },
    ),
    quota: anthropic(
      400,
      'invalid_request_error',
      'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
    ),
    server: anthropic(529, 'overloaded_error', 'Overloaded'),
    schema: anthropic(400, 'invalid_request_error', 'response_format: Extra inputs are not permitted'),
    wrong_model: anthropic(404, 'not_found_error', 'model: nope'),
    key: anthropic(401, 'authentication_error', 'invalid x-api-key'),
    bad_json: anthropic(500, 'api_error', 'Internal server error'),
  },
  ollama: {
    rate: openai(503, 'server busy, please try again.  maximum pending requests exceeded', 'api_error'),
    rate_wait: wait(openai(429, 'too many requests', 'api_error'), { 'retry-after': '40' }),
    quota: openai(
      500,
      'model requires more system memory (12.9 GiB) than is available (7.7 GiB)',
      'api_error',
    ),
    server: openai(500, 'llama runner process has terminated: signal: killed', 'api_error'),
    schema: openai(400, 'invalid JSON schema in response_format', 'invalid_request_error'),
    wrong_model: openai(404, 'model "nope" not found, try pulling it first', 'not_found_error'),
    key: openai(401, 'unauthorized', 'api_error'),
    bad_json: openai(500, 'failed to parse grammar', 'api_error'),
  },
}
