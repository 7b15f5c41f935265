using System;
using System.Collections.Generic;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Saastracker
{
    /// <summary>
    /// Sends one batch at a time, in order. A batch leaves the queue when the server says what it did with it or refuses
    /// it by 4xx; after 5xx, 429, anything that is not the server's own answer, and no answer it waits and is repeated.
    /// </summary>
    internal sealed class Sender
    {
        public const double BatchSeconds = 30;
        private const double FirstWait = 1, LongestWait = 300, LongestAsked = 3600; // seconds
        private const string Agent = "saastracker-unity/0.1.0";

        private readonly OwlsignalSettings settings;
        private readonly EventQueue queue;
        private readonly ITransport transport;
        private readonly object gate;
        private readonly Action<string> warn;
        private readonly Random random = new Random();
        private int failures;
        private double earliest; // no request before, in seconds
        private double now;

        /// <param name="gate">Held by whoever calls; taken here when an answer comes.</param>
        public Sender(OwlsignalSettings settings, EventQueue queue, ITransport transport, object gate, Action<string> warn)
        {
            this.settings = settings;
            this.queue = queue;
            this.transport = transport;
            this.gate = gate;
            this.warn = warn;
        }

        /// <summary>The batch that is on its way, or null.</summary>
        public Batch Busy { get; private set; }

        /// <summary>Whether the last request failed, so that the next has to wait.</summary>
        public bool Waits => failures > 0;

        /// <summary>Sends what is due.</summary>
        /// <param name="seconds">Now, on a clock that never jumps.</param>
        /// <param name="all">Whether batches that are neither full nor old are due, too.</param>
        public void Tick(double seconds, bool all)
        {
            now = seconds;
            if (Busy != null || now < earliest)
                return;
            Batch batch = queue.Next(now, all ? 0 : BatchSeconds);
            if (batch == null)
                return;
            Busy = batch;
            byte[] body = Encoding.UTF8.GetBytes("{\"events\":[" + string.Join(",", batch.Events) + "]}");
            try
            {
                transport.Post(settings.EndpointUrl, Headers(batch, body), body, answer => Answered(batch, answer));
            }
            catch (Exception error)
            {
                Answered(batch, new Answer { Text = error.Message });
            }
        }

        private List<KeyValuePair<string, string>> Headers(Batch batch, byte[] body)
        {
            var headers = new Dictionary<string, string> { ["Idempotency-Key"] = batch.Id, ["User-Agent"] = Agent };
            if (!string.IsNullOrEmpty(settings.ApiKey))
                headers["Authorization"] = "Bearer " + settings.ApiKey;
            else
                using (var hmac = new HMACSHA256(Encoding.UTF8.GetBytes(settings.ApiSecret)))
                {
                    headers["x-app-uuid"] = settings.AppUuid;
                    headers["x-signature"] = Hex.Of(hmac.ComputeHash(body));
                }
            return new List<KeyValuePair<string, string>>(headers);
        }

        private void Answered(Batch batch, Answer answer)
        {
            lock (gate)
            {
                if (Busy != batch)
                    return; // forgotten: the player opted out while it was on its way
                Busy = null;
                string text = answer.Text ?? "";
                // A captive portal answers 200 or a redirect too, and has stored nothing.
                bool taken = answer.Status >= 200 && answer.Status < 300 && Number(text, "accepted") != null;
                bool refused = answer.Status >= 400 && answer.Status < 500 && answer.Status != 429;
                if (!taken && !refused)
                {
                    Wait(answer);
                    return;
                }
                failures = 0;
                earliest = 0;
                queue.Remove(batch);
                if (refused)
                    warn($"The server refused {batch.Events.Count} events with {answer.Status}, they are lost: {Detail(text)}");
                else if (Number(text, "rejected") > 0)
                    warn($"The server did not take {Number(text, "rejected")} of {batch.Events.Count} events: {Detail(text)}");
            }
        }

        /// <summary>Half of an exponentially growing time, and up to as much again by chance, so that players do not
        /// come back all at once after an outage.</summary>
        private void Wait(Answer answer)
        {
            failures++;
            double wait = Math.Min(LongestWait, FirstWait * Math.Pow(2, Math.Min(failures - 1, 20)));
            wait *= 0.5 + 0.5 * random.NextDouble();
            earliest = now + Math.Max(wait, Math.Min(answer.RetryAfter, LongestAsked));
            if (failures == 1)
                warn($"The server did not take the events, they are sent again: {answer.Status} {Detail(answer.Text ?? "")}");
        }

        /// <summary>Forgets the batch that is on its way; its answer is ignored.</summary>
        public void Forget() => Busy = null;

        private static long? Number(string text, string key)
        {
            Match found = Regex.Match(text, "\"" + key + "\"\\s*:\\s*(\\d{1,9})");
            return found.Success ? long.Parse(found.Groups[1].Value) : (long?)null;
        }

        private static string Detail(string text)
        {
            Match found = Regex.Match(text, "\"(?:detail|reason)\"\\s*:\\s*\"((?:[^\"\\\\]|\\\\.)*)\"");
            string detail = found.Success ? found.Groups[1].Value : text;
            return detail.Length > 200 ? detail.Substring(0, 200) : detail;
        }
    }
}
