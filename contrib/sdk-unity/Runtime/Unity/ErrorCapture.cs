using System;
using System.Collections.Generic;
using System.Text.RegularExpressions;
using UnityEngine;
using UnityEngine.SceneManagement;

namespace Saastracker
{
    /// <summary>Makes events of errors, failed assertions and exceptions that Unity logs, on any thread.</summary>
    internal sealed class ErrorCapture : IDisposable
    {
        private const int PerMinute = 10; // an exception in Update comes with every frame
        [ThreadStatic] private static bool within;
        private readonly object gate = new object();
        private readonly Client client;
        private readonly Func<double> seconds;
        private double minute = double.NegativeInfinity; // when it began, in seconds
        private int sent, left;
        private string scene;

        public ErrorCapture(Client client, Func<double> seconds)
        {
            this.client = client;
            this.seconds = seconds;
            scene = SceneManager.GetActiveScene().name; // may be asked on the main thread only
            SceneManager.activeSceneChanged += Changed;
            Application.logMessageReceivedThreaded += Received;
        }

        public void Dispose()
        {
            SceneManager.activeSceneChanged -= Changed;
            Application.logMessageReceivedThreaded -= Received;
        }

        private void Changed(Scene before, Scene now) => scene = now.name;

        private void Received(string condition, string stack, LogType type)
        {
            if (within || (type != LogType.Error && type != LogType.Assert && type != LogType.Exception))
                return;
            within = true; // whatever is logged from here on is not another error of the game
            try
            {
                int unsent;
                lock (gate)
                {
                    if (seconds() - minute >= 60)
                    {
                        minute = seconds();
                        sent = 0;
                    }
                    if (sent >= PerMinute)
                    {
                        left++;
                        return;
                    }
                    sent++;
                    unsent = left;
                    left = 0;
                }
                Send(condition ?? "", stack ?? "", type, unsent);
            }
            catch (Exception error)
            {
                Debug.LogWarning("saastracker: " + error.Message);
            }
            finally
            {
                within = false;
            }
        }

        private void Send(string condition, string stack, LogType type, int unsent)
        {
            // "NullReferenceException: Object reference not set …"
            Match exception = Regex.Match(condition, @"\A([\w.+`]+)(?:: |\z)");
            bool named = type == LogType.Exception && exception.Success;
            var data = new Dictionary<string, object>
            {
                ["message"] = named ? condition.Substring(exception.Length) : condition,
                ["stack"] = stack,
                ["scene"] = scene,
            };
            if (unsent > 0)
                data["unsent"] = unsent; // errors since the last event that the limit held back
            client.Track("error", named ? exception.Groups[1].Value : type.ToString(), data: data);
        }
    }
}
