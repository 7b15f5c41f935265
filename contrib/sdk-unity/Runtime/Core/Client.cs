using System;
using System.Collections.Generic;
using System.Globalization;
using System.Threading;

namespace Saastracker
{
    /// <summary>
    /// Collects and sends events, without Unity. Every method may be called from any thread. It has no thread of its
    /// own: call Tick often, such as once a frame.
    /// </summary>
    public sealed class Client
    {
        /// <summary>A player who comes back within this time after a pause, such as an advertisement, goes on with the session.</summary>
        public static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

        private const int NameMax = 100, DimensionMax = 64, BuildMax = 64;
        private readonly object gate = new object();
        private readonly OwlsignalSettings settings;
        private readonly Func<DateTime> utcNow;
        private readonly Func<double> seconds;
        private readonly Action<string> warn;
        private readonly Device device;
        private readonly EventQueue queue;
        private readonly Sender sender;
        private readonly ITransport transport;
        private string player;
        private string session; // null before the first event
        private DateTime? paused;
        private bool all; // what waits is sent without waiting for more
        private bool closed;

        /// <param name="folder">Where the queue is kept, null for memory only.</param>
        /// <param name="utcNow">The time that events get.</param>
        /// <param name="seconds">A clock that never jumps, for everything that waits.</param>
        /// <param name="warn">Hears about what was lost or put off, and why.</param>
        public Client(
            OwlsignalSettings settings,
            string folder,
            ITransport transport,
            Func<DateTime> utcNow,
            Func<double> seconds,
            Action<string> warn)
        {
            string mistake = settings.Mistake();
            if (mistake != null)
                throw new ArgumentException(mistake);
            this.settings = settings;
            this.transport = transport;
            this.utcNow = utcNow;
            this.seconds = seconds;
            this.warn = warn;
            device = new Device(folder, warn);
            queue = new EventQueue(folder, warn);
            sender = new Sender(settings, queue, transport, gate, warn);
            if (device.OptedOut)
                queue.Clear();
        }

        /// <summary>Records one event.</summary>
        /// <param name="type">progression, design, resource, error or session.</param>
        /// <param name="name">By convention Verb:Subject; longer than 100 characters is cut.</param>
        /// <param name="data">Texts, numbers, true, false and null; everything else is sent as its text.</param>
        public void Track(
            string type,
            string name,
            double? value = null,
            string dim01 = null,
            string dim02 = null,
            string dim03 = null,
            IEnumerable<KeyValuePair<string, object>> data = null)
        {
            lock (gate)
            {
                if (closed || device.OptedOut)
                    return;
                if (string.IsNullOrEmpty(name))
                {
                    warn($"An event of type {type} has no name and is not sent.");
                    return;
                }
                BeginSession();
                Json json = Begin(type, name);
                json.Add("value", value);
                json.Add("dim01", dim01, DimensionMax).Add("dim02", dim02, DimensionMax).Add("dim03", dim03, DimensionMax);
                int left = data == null ? 0 : json.Add("data", data);
                if (left > 0)
                    warn($"The data of {name} is larger than 30 KiB or 250 keys: {left} keys are not sent.");
                queue.Add(json.ToString(), seconds(), sender.Busy);
            }
        }

        /// <summary>Later events belong to this user, known to the server by a SHA-256 hash only; null ends that.</summary>
        public void IdentifyUser(string userId)
        {
            lock (gate)
                player = string.IsNullOrEmpty(userId) ? null : Device.HashOf(userId);
        }

        /// <summary>True: nothing is recorded or sent from now on, nor in later runs, and what waits is deleted.</summary>
        public void SetOptOut(bool optedOut)
        {
            lock (gate)
            {
                if (device.OptedOut == optedOut)
                    return;
                device.OptOut(optedOut);
                player = null;
                session = null;
                sender.Forget();
                queue.Clear();
            }
        }

        /// <summary>Sends what is due.</summary>
        public void Tick()
        {
            lock (gate)
            {
                if (closed)
                    return;
                sender.Tick(seconds(), all);
                all = all && !queue.IsEmpty;
            }
        }

        /// <summary>The game goes to the background, from where it may never come back: ends the session and sends all.</summary>
        public void Pause()
        {
            lock (gate)
            {
                EndSession();
                all = true;
                Tick();
            }
        }

        /// <summary>The game ends: ends the session and sends all that it can within `patience`; the rest stays on disk.</summary>
        public void Quit(TimeSpan patience)
        {
            lock (gate)
            {
                EndSession();
                all = true;
            }
            double deadline = seconds() + patience.TotalSeconds;
            while (true)
            {
                Tick();
                lock (gate)
                    if (queue.IsEmpty || sender.Waits || !transport.AnswersWhileWaiting || seconds() >= deadline)
                        break;
                Thread.Sleep(5);
            }
            lock (gate)
            {
                closed = true;
                sender.Forget();
                queue.Dispose();
                (transport as IDisposable)?.Dispose();
            }
        }

        /// <summary>How many events wait, and how many were dropped since the start because too many waited.</summary>
        public (int Waiting, int Dropped) State()
        {
            lock (gate)
                return (queue.Count, queue.Dropped);
        }

        private void BeginSession()
        {
            DateTime now = utcNow();
            // A clock that was set back makes a new session, too: how long the pause was is not known.
            bool over = paused != null && !(now >= paused && now - paused <= LongestPause);
            paused = null;
            if (session != null && !over)
                return;
            session = Guid.NewGuid().ToString();
            queue.Add(Begin("session", "Session:Start").ToString(), seconds(), sender.Busy);
        }

        private void EndSession()
        {
            if (session == null || paused != null || closed)
                return;
            queue.Add(Begin("session", "Session:End").ToString(), seconds(), sender.Busy);
            paused = utcNow(); // of several ends of a session the server takes the last
        }

        private Json Begin(string type, string name)
        {
            string time = utcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
            return new Json()
                .Add("build_version", settings.BuildVersion, BuildMax)
                .Add("session_id", session, NameMax)
                .Add("player_hash", player ?? (player = device.Hash()), NameMax)
                .Add("ts", time, NameMax)
                .Add("type", type, NameMax)
                .Add("name", name, NameMax);
        }
    }
}
