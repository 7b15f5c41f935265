using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Threading;
using UnityEngine;
using UnityEngine.SceneManagement;
using Debug = UnityEngine.Debug;

namespace Saastracker.Driver
{
    /// <summary>The client without Unity, on clocks that the tests set.</summary>
    internal sealed class CoreGame : IGame
    {
        private readonly Client client;
        private readonly Action<string> warn;
        private readonly TimeSpan patience;
        private TimeSpan skew;

        public CoreGame(Dictionary<string, string> options, Action<string> warn)
        {
            this.warn = warn;
            var clock = Stopwatch.StartNew();
            double speed = Number(options["speed"]); // seconds that pass for the client in one second
            patience = TimeSpan.FromSeconds(Number(options["patience"]));
            var timeout = TimeSpan.FromSeconds(Number(options["timeout"]));
            client = new Client(
                Settings.Of(options),
                options["folder"],
                new HttpTransport(timeout),
                () => DateTime.UtcNow + skew,
                () => clock.Elapsed.TotalSeconds * speed,
                warn);
        }

        public void Frame() => client.Tick();

        public void Track(string type, string name, double? value, string dim01, Dictionary<string, object> data)
        {
            try
            {
                client.Track(type, name, value, dim01, data: data);
            }
            catch (Exception error) // the adapter's work
            {
                warn(error.Message);
            }
        }

        public string Do(string[] words)
        {
            switch (words[0])
            {
                case "state":
                    var state = client.State();
                    return state.Waiting + " " + state.Dropped;
                case "clock": // seconds that the wall clock is wrong by
                    skew = TimeSpan.FromSeconds(Number(words[1]));
                    return "";
                case "pause":
                    client.Pause();
                    return "";
                case "identify":
                    client.IdentifyUser(words[1]);
                    return "";
                case "optout":
                    client.SetOptOut(words[1] == "yes");
                    return "";
                default:
                    throw new ArgumentException(words[0]);
            }
        }

        public void Quit() => client.Quit(patience);

        private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
    }

    /// <summary>What a game uses, on stubs of Unity.</summary>
    internal sealed class UnityGame : IGame
    {
        private readonly Dictionary<string, string> options;

        public UnityGame(Dictionary<string, string> options, Action<string> warn)
        {
            this.options = options;
            Application.persistentDataPath = options["folder"];
            Engine.Warned = warn;
        }

        public void Frame() => Engine.Frame();

        public void Track(string type, string name, double? value, string dim01, Dictionary<string, object> data)
        {
            if (type == "progression")
                OwlsignalClient.TrackProgression(name, value, dim01, data: data);
            else if (type == "resource")
                OwlsignalClient.TrackResource(name, value, dim01, data: data);
            else if (type == "error")
                OwlsignalClient.TrackError(name, value, dim01, data: data);
            else
                OwlsignalClient.TrackDesign(name, value, dim01, data: data);
        }

        public string Do(string[] words)
        {
            switch (words[0])
            {
                case "initialize":
                    OwlsignalClient.Initialize(Settings.Of(options));
                    return "";
                case "nothing": // Initialize without settings
                    OwlsignalClient.Initialize(null);
                    return "";
                case "pause":
                    Engine.Send("OnApplicationPause", true);
                    Engine.Send("OnApplicationPause", false);
                    return "";
                case "identify":
                    OwlsignalClient.IdentifyUser(words[1]);
                    return "";
                case "optout":
                    OwlsignalClient.SetOptOut(words[1] == "yes");
                    return "";
                case "scene":
                    SceneManager.Enter(words[1]);
                    return "";
                case "error":
                    Debug.LogError(words[1]);
                    return "";
                case "exception": // how many
                    var thread = new Thread(() =>
                    {
                        for (int at = 0; at < int.Parse(words[1]); at++)
                            Debug.LogException(new InvalidOperationException("no boss"));
                    });
                    thread.Start();
                    thread.Join();
                    return "";
                default:
                    throw new ArgumentException(words[0]);
            }
        }

        public void Quit() => Engine.Send("OnApplicationQuit");
    }

    internal static class Settings
    {
        public static OwlsignalSettings Of(Dictionary<string, string> options)
        {
            options.TryGetValue("key", out string key);
            options.TryGetValue("uuid", out string uuid);
            options.TryGetValue("secret", out string secret);
            options.TryGetValue("build", out string build);
            return new OwlsignalSettings
            {
                EndpointUrl = options["url"],
                ApiKey = key,
                AppUuid = uuid,
                ApiSecret = secret,
                BuildVersion = build,
                CaptureErrors = options.ContainsKey("capture"),
            };
        }
    }
}
