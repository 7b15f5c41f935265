using System;
using System.Collections.Generic;

namespace Saastracker
{
    /// <summary>Brings requests to the server. One that is IDisposable is disposed when the game ends.</summary>
    public interface ITransport
    {
        /// <summary>Whether an answer comes while the calling thread waits; false where it comes between frames.</summary>
        bool AnswersWhileWaiting { get; }

        /// <summary>Posts without waiting. `answered` is called once, from any thread, whatever happens.</summary>
        void Post(string url, IReadOnlyList<KeyValuePair<string, string>> headers, byte[] body, Action<Answer> answered);
    }

    /// <summary>What came back.</summary>
    public struct Answer
    {
        /// <summary>The HTTP status; 0 where no answer came.</summary>
        public int Status;

        /// <summary>The body, or what went wrong where no answer came.</summary>
        public string Text;

        /// <summary>Seconds that the server asks to wait, by Retry-After; 0 without.</summary>
        public double RetryAfter;
    }
}
