using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using UnityEngine;
using Debug = UnityEngine.Debug;

namespace Saastracker
{
    /// <summary>
    /// Sends a game's events. Call Initialize once from the main thread, the rest from any. Nothing here throws: what
    /// goes wrong is told by Debug.LogWarning.
    /// </summary>
    public static class OwlsignalClient
    {
        private const double QuitSeconds = 1; // how long a game that ends may be held up
        private const double TimeoutSeconds = 30;
        private static readonly object gate = new object();
        private static Client client;
        private static ErrorCapture capture;
        private static bool told;
        private static bool? optedOut; // as said before Initialize
        private static string user; // as said before Initialize

        /// <summary>Begins to record. The session starts with the first event.</summary>
        public static void Initialize(OwlsignalSettings settings) => Safely(() =>
        {
            lock (gate)
            {
                if (client != null)
                {
                    Warn("Initialize was called again and did nothing.");
                    return;
                }
                settings.BuildVersion = string.IsNullOrEmpty(settings.BuildVersion) ? Application.version : settings.BuildVersion;
                var clock = Stopwatch.StartNew();
                string folder = Path.Combine(Application.persistentDataPath, "saastracker");
                client = new Client(settings, folder, Transport(), () => DateTime.UtcNow, () => clock.Elapsed.TotalSeconds, Warn);
                if (optedOut != null)
                    client.SetOptOut(optedOut.Value);
                if (user != null)
                    client.IdentifyUser(user);
                if (settings.CaptureErrors)
                    capture = new ErrorCapture(client, () => clock.Elapsed.TotalSeconds);
                var holder = new GameObject("saastracker") { hideFlags = HideFlags.HideInHierarchy };
                UnityEngine.Object.DontDestroyOnLoad(holder);
                holder.AddComponent<OwlsignalBehaviour>();
            }
        });

        /// <summary>Start, Complete or Fail of something, such as "Complete:Tutorial".</summary>
        public static void TrackProgression(
            string name,
            double? value = null,
            string dim01 = null,
            string dim02 = null,
            string dim03 = null,
            IEnumerable<KeyValuePair<string, object>> data = null) => Track("progression", name, value, dim01, dim02, dim03, data);

        /// <summary>Any moment worth knowing, such as "CTA:Clicked".</summary>
        public static void TrackDesign(
            string name,
            double? value = null,
            string dim01 = null,
            string dim02 = null,
            string dim03 = null,
            IEnumerable<KeyValuePair<string, object>> data = null) => Track("design", name, value, dim01, dim02, dim03, data);

        /// <summary>Something earned or spent, such as "Source:Gold" or "Sink:Gold", with a positive value.</summary>
        public static void TrackResource(
            string name,
            double? value = null,
            string dim01 = null,
            string dim02 = null,
            string dim03 = null,
            IEnumerable<KeyValuePair<string, object>> data = null) => Track("resource", name, value, dim01, dim02, dim03, data);

        /// <summary>Something that went wrong; the server reads message, stack, scene and signature of `data`.</summary>
        public static void TrackError(
            string name,
            double? value = null,
            string dim01 = null,
            string dim02 = null,
            string dim03 = null,
            IEnumerable<KeyValuePair<string, object>> data = null) => Track("error", name, value, dim01, dim02, dim03, data);

        /// <summary>Later events belong to this user, of whom only a SHA-256 hash is sent; null ends that.</summary>
        public static void IdentifyUser(string userId) => Safely(() =>
        {
            lock (gate)
            {
                user = userId;
                client?.IdentifyUser(userId);
            }
        });

        /// <summary>True: nothing is recorded or sent from now on, nor in later runs, and what waits is deleted.</summary>
        public static void SetOptOut(bool optOut) => Safely(() =>
        {
            lock (gate)
            {
                optedOut = optOut;
                client?.SetOptOut(optOut);
            }
        });

        internal static void Tick() => Safely(() => client?.Tick());

        internal static void Pause() => Safely(() => client?.Pause());

        internal static void Quit() => Safely(() =>
        {
            capture?.Dispose();
            client?.Quit(TimeSpan.FromSeconds(QuitSeconds));
            Reset();
        });

        // Without a reload of the domain, static fields outlive a run in the editor.
        [RuntimeInitializeOnLoadMethod(RuntimeInitializeLoadType.SubsystemRegistration)]
        private static void Reset()
        {
            client = null;
            capture = null;
            told = false;
            optedOut = null;
            user = null;
        }

        private static void Track(
            string type,
            string name,
            double? value,
            string dim01,
            string dim02,
            string dim03,
            IEnumerable<KeyValuePair<string, object>> data) => Safely(() =>
        {
            Client current = client;
            if (current != null)
                current.Track(type, name, value, dim01, dim02, dim03, data);
            else if (!told)
            {
                told = true;
                Warn("Events before Initialize are not recorded, such as " + name + ".");
            }
        });

        private static ITransport Transport()
        {
#if UNITY_WEBGL && !UNITY_EDITOR
            return new WebRequestTransport((int)TimeoutSeconds); // a browser has neither sockets nor threads for it
#else
            return new HttpTransport(TimeSpan.FromSeconds(TimeoutSeconds));
#endif
        }

        private static void Safely(Action action)
        {
            try
            {
                action();
            }
            catch (Exception error)
            {
                Warn(error.Message);
            }
        }

        private static void Warn(string text) => Debug.LogWarning("saastracker: " + text);
    }
}
