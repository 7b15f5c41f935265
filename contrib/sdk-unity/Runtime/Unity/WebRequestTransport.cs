#if UNITY_WEBGL
using System;
using System.Collections.Generic;
using System.Globalization;
using UnityEngine.Networking;

namespace Saastracker
{
    /// <summary>Requests by the browser: they go on between frames, and end with the page.</summary>
    internal sealed class WebRequestTransport : ITransport
    {
        private readonly int timeout;

        /// <param name="timeout">In seconds.</param>
        public WebRequestTransport(int timeout)
        {
            this.timeout = timeout;
        }

        public bool AnswersWhileWaiting => false;

        public void Post(string url, IReadOnlyList<KeyValuePair<string, string>> headers, byte[] body, Action<Answer> answered)
        {
            var request = new UnityWebRequest(url, UnityWebRequest.kHttpVerbPOST)
            {
                uploadHandler = new UploadHandlerRaw(body) { contentType = "application/json" },
                downloadHandler = new DownloadHandlerBuffer(),
                timeout = timeout,
                redirectLimit = 0,
            };
            foreach (var header in headers)
                if (header.Key != "User-Agent") // the browser sends its own
                    request.SetRequestHeader(header.Key, header.Value);
            request.SendWebRequest().completed += _ =>
            {
                using (request)
                    answered(Read(request));
            };
        }

        private static Answer Read(UnityWebRequest request)
        {
            bool came = request.result == UnityWebRequest.Result.Success || request.result == UnityWebRequest.Result.ProtocolError;
            double.TryParse(request.GetResponseHeader("Retry-After"), NumberStyles.None, CultureInfo.InvariantCulture, out double wait);
            return new Answer
            {
                Status = came ? (int)request.responseCode : 0,
                Text = came ? request.downloadHandler.text : request.error,
                RetryAfter = wait,
            };
        }
    }
}
#endif
