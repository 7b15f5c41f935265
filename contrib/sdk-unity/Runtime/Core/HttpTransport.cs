using System;
using System.Collections.Generic;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Threading.Tasks;

namespace Saastracker
{
    /// <summary>Requests on threads of the pool, so that they go on while the game draws, pauses or quits.</summary>
    public sealed class HttpTransport : ITransport, IDisposable
    {
        private const int AnswerMax = 64 * 1024;
        private readonly HttpClient http;

        public HttpTransport(TimeSpan timeout)
        {
            // A redirect makes a GET of a POST: the events would be gone with a friendly answer.
            var handler = new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false };
            http = new HttpClient(handler) { Timeout = timeout, MaxResponseContentBufferSize = AnswerMax };
        }

        public bool AnswersWhileWaiting => true;

        public void Post(string url, IReadOnlyList<KeyValuePair<string, string>> headers, byte[] body, Action<Answer> answered)
        {
            // Looking a name up may block, so that even the start is not the game's thread's.
            Task.Run(async () => answered(await Send(url, headers, body).ConfigureAwait(false)));
        }

        /// <summary>Breaks off what is on its way, and closes connections.</summary>
        public void Dispose() => http.Dispose();

        private async Task<Answer> Send(string url, IReadOnlyList<KeyValuePair<string, string>> headers, byte[] body)
        {
            try
            {
                using (var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(body) })
                {
                    request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
                    foreach (var header in headers)
                        request.Headers.TryAddWithoutValidation(header.Key, header.Value);
                    using (HttpResponseMessage response = await http.SendAsync(request).ConfigureAwait(false))
                        return new Answer
                        {
                            Status = (int)response.StatusCode,
                            Text = await response.Content.ReadAsStringAsync().ConfigureAwait(false),
                            RetryAfter = response.Headers.RetryAfter?.Delta?.TotalSeconds ?? 0,
                        };
                }
            }
            catch (Exception error)
            {
                return new Answer { Text = error.GetBaseException().Message };
            }
        }
    }
}
