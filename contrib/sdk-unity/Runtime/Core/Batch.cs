using System.Collections.Generic;
using System.IO;
using System.Text;

namespace Saastracker
{
    /// <summary>
    /// Events that are sent as one request, in a file of their own. The file's name ends in the request's
    /// Idempotency-Key, so that a batch whose answer got lost is stored once, even if another run of the game repeats it.
    /// </summary>
    internal sealed class Batch
    {
        public readonly string Id;
        public readonly string Path; // null where there is no disk to write to
        public readonly List<string> Events = new List<string>();
        public long Bytes;
        public bool Sealed; // takes no more events
        private FileStream file;

        public Batch(string id, string path)
        {
            Id = id;
            Path = path;
        }

        public void Add(string json)
        {
            Events.Add(json);
            Bytes += json.Length;
        }

        /// <summary>Adds an event to the file, too. What is written survives the end of the game, not a power cut.</summary>
        public void Write(string json)
        {
            byte[] line = Encoding.UTF8.GetBytes(json + "\n");
            file = file ?? new FileStream(Path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            file.Write(line, 0, line.Length);
            file.Flush();
        }

        /// <summary>Ends the batch: no event is added from now on.</summary>
        public void Seal()
        {
            Sealed = true;
            file?.Dispose();
            file = null;
        }

        /// <summary>The whole events of a file; one that the end of the game cut short is left out.</summary>
        public static IEnumerable<string> Read(string path)
        {
            string text = File.ReadAllText(path, Encoding.UTF8);
            int start = 0;
            for (int end; (end = text.IndexOf('\n', start)) >= 0; start = end + 1)
                if (end - start > 1 && text[start] == '{' && text[end - 1] == '}')
                    yield return text.Substring(start, end - start);
        }
    }
}
