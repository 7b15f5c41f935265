// Plays a game as the tests tell it by lines on standard input; every line is answered by one on standard output.
using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;

namespace Saastracker.Driver
{
    internal static class Program
    {
        private static readonly ConcurrentQueue<string> lines = new ConcurrentQueue<string>();

        private static int Main(string[] arguments)
        {
            var options = arguments.Select(each => each.Split(new[] { '=' }, 2)).ToDictionary(each => each[0], each => each[1]);
            var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false)) { AutoFlush = true };
            Action<string> warn = text => { lock (output) output.WriteLine("warning " + text.Replace("\n", " ")); };
            IGame game = options["game"] == "core" ? (IGame)new CoreGame(options, warn) : new UnityGame(options, warn);
            new Thread(Read) { IsBackground = true }.Start();
            lock (output)
                output.WriteLine("ready");
            while (true)
            {
                game.Frame();
                if (!lines.TryDequeue(out string line))
                {
                    Thread.Sleep(4);
                    continue;
                }
                if (line == "quit")
                {
                    var took = Stopwatch.StartNew();
                    game.Quit();
                    output.WriteLine("answer " + took.ElapsedMilliseconds);
                    return 0;
                }
                string answer = Do(game, line);
                lock (output)
                    output.WriteLine("answer " + answer);
            }
        }

        private static void Read()
        {
            var input = new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false));
            for (string line; (line = input.ReadLine()) != null;)
                lines.Enqueue(line);
        }

        private static string Do(IGame game, string line)
        {
            string[] words = line.Split('\t');
            switch (words[0])
            {
                case "track": // type, name, value, dim01, message of the data
                    double? value = words[3] == "" ? (double?)null : double.Parse(words[3], CultureInfo.InvariantCulture);
                    game.Track(words[1], words[2], value, words[4], words[5] == "" ? null : Data("message", words[5]));
                    return "";
                case "many": // how many
                    for (int at = 0; at < int.Parse(words[1]); at++)
                        game.Track("design", words[2] + at, null, null, null);
                    return "";
                case "threads": // how many threads, how many events each
                    var threads = Enumerable.Range(0, int.Parse(words[1])).Select(thread => new Thread(() =>
                    {
                        for (int at = 0; at < int.Parse(words[2]); at++)
                            game.Track("design", "Thread:" + thread + ":" + at, null, null, null);
                    })).ToList();
                    threads.ForEach(each => each.Start());
                    threads.ForEach(each => each.Join());
                    return "";
                case "odd":
                    game.Track("design", "Odd:" + new string('x', 200), double.NaN, new string('d', 99), Odd());
                    game.Track("design", "Large", double.PositiveInfinity, null, Large());
                    game.Track("design", "Keys", 1e300, null, Enumerable.Range(0, 600).ToDictionary(at => "k" + at, at => (object)at));
                    game.Track("design", "", null, null, null);
                    game.Track("design", null, null, null, null);
                    game.Track("design", "Throws", null, null, Data("bad", new Thrower()));
                    return "";
                default:
                    return game.Do(words);
            }
        }

        private static Dictionary<string, object> Data(string key, object value) => new Dictionary<string, object> { [key] = value };

        private static Dictionary<string, object> Odd() => new Dictionary<string, object>
        {
            ["text"] = "a\"\\\n\r\t\u0001\0é😀",
            ["half"] = "\ud83d!",
            ["float"] = 0.1f,
            ["double"] = 0.1,
            ["nan"] = double.NaN,
            ["largest"] = ulong.MaxValue,
            ["long"] = long.MinValue,
            ["decimal"] = 12.50m,
            ["yes"] = true,
            ["nothing"] = null,
            ["enum"] = DayOfWeek.Friday,
            ["list"] = new List<int> { 1 },
            ["time"] = TimeSpan.FromSeconds(90),
        };

        private static Dictionary<string, object> Large() =>
            Enumerable.Range(0, 10).ToDictionary(at => "k" + at, at => (object)new string('é', 9000));

        private sealed class Thrower
        {
            public override string ToString() => throw new InvalidOperationException("no text today");
        }
    }

    internal interface IGame
    {
        void Frame();

        void Track(string type, string name, double? value, string dim01, Dictionary<string, object> data);

        string Do(string[] words);

        void Quit();
    }
}
