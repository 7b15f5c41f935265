// Unity's requests, made by HttpWebRequest on another thread and completed by the engine's next frame.
using System;
using System.IO;
using System.Net;
using System.Text;
using System.Threading;

namespace UnityEngine.Networking
{
    public sealed class UploadHandlerRaw
    {
        public readonly byte[] Data;

        public UploadHandlerRaw(byte[] data)
        {
            Data = data;
        }

        public string contentType { get; set; }
    }

    public sealed class DownloadHandlerBuffer
    {
        public string text { get; internal set; }
    }

    public sealed class UnityWebRequestAsyncOperation
    {
        public event Action<UnityWebRequestAsyncOperation> completed;

        internal void Complete() => completed?.Invoke(this);
    }

    public sealed class UnityWebRequest : IDisposable
    {
        public const string kHttpVerbPOST = "POST";
        private readonly HttpWebRequest request;
        private WebHeaderCollection answered = new WebHeaderCollection();

        public UnityWebRequest(string url, string method)
        {
            request = WebRequest.CreateHttp(url);
            request.Method = method;
            request.AllowAutoRedirect = false;
        }

        public enum Result { InProgress, Success, ConnectionError, ProtocolError, DataProcessingError }

        public UploadHandlerRaw uploadHandler { get; set; }

        public DownloadHandlerBuffer downloadHandler { get; set; }

        public int timeout { get; set; }

        public int redirectLimit { get; set; }

        public Result result { get; private set; }

        public long responseCode { get; private set; }

        public string error { get; private set; }

        public void SetRequestHeader(string name, string value) => request.Headers[name] = value;

        public string GetResponseHeader(string name) => answered[name];

        public UnityWebRequestAsyncOperation SendWebRequest()
        {
            var operation = new UnityWebRequestAsyncOperation();
            request.ContentType = uploadHandler.contentType;
            request.Timeout = 1000 * timeout;
            ThreadPool.QueueUserWorkItem(_ =>
            {
                Send();
                lock (Engine.Completed)
                    Engine.Completed.Enqueue(operation.Complete);
            });
            return operation;
        }

        public void Dispose() { }

        private void Send()
        {
            try
            {
                using (Stream body = request.GetRequestStream())
                    body.Write(uploadHandler.Data, 0, uploadHandler.Data.Length);
                Read((HttpWebResponse)request.GetResponse());
            }
            catch (WebException problem) when (problem.Response != null)
            {
                Read((HttpWebResponse)problem.Response);
            }
            catch (Exception problem)
            {
                result = Result.ConnectionError;
                error = problem.Message;
            }
        }

        private void Read(HttpWebResponse response)
        {
            answered = response.Headers;
            responseCode = (long)response.StatusCode;
            using (response)
            using (var text = new StreamReader(response.GetResponseStream(), Encoding.UTF8))
                downloadHandler.text = text.ReadToEnd();
            result = responseCode < 400 ? Result.Success : Result.ProtocolError;
        }
    }
}
