using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;

namespace Saastracker
{
    /// <summary>Batches that wait for the server, oldest first, in memory and on disk; the oldest go when it is full.</summary>
    internal sealed class EventQueue : IDisposable
    {
        public const int BatchEvents = 30;
        public const int MaxEvents = 1000;
        public const long MaxBytes = 4 * 1024 * 1024;
        private const string Suffix = ".batch";

        private readonly List<Batch> batches = new List<Batch>();
        private readonly string folder;
        private readonly Action<string> warn;
        private FileStream claim;
        private long next = 1;
        private bool unkept; // the last event is not on disk
        private double opened; // when the batch that takes events began, in seconds

        /// <param name="folder">Where batches are kept, null for memory only.</param>
        public EventQueue(string folder, Action<string> warn)
        {
            this.warn = warn;
            try
            {
                if (folder == null)
                    return;
                Directory.CreateDirectory(folder);
                Claim(Path.Combine(folder, "lock"));
                this.folder = folder;
                Load();
            }
            catch (Exception error)
            {
                warn("Events are kept in memory only, and lost if the game ends offline: " + error.Message);
            }
        }

        public int Count => batches.Sum(batch => batch.Events.Count);

        public int Dropped { get; private set; }

        public bool IsEmpty => batches.Count == 0;

        /// <param name="now">Seconds on the clock that Next is asked by.</param>
        /// <param name="busy">The batch that is on its way and stays whatever happens, or null.</param>
        public void Add(string json, double now, Batch busy)
        {
            Batch open = batches.LastOrDefault();
            if (open == null || open.Sealed)
            {
                batches.Add(open = Create(Guid.NewGuid().ToString("N")));
                opened = now;
            }
            open.Add(json);
            Keep(open, json);
            if (open.Events.Count >= BatchEvents)
                open.Seal();
            while (Count > MaxEvents || batches.Sum(batch => batch.Bytes) > MaxBytes)
            {
                Batch oldest = batches.FirstOrDefault(batch => batch != busy && batch != open);
                if (oldest == null)
                    break;
                Remove(oldest);
                Dropped += oldest.Events.Count;
                warn($"Too many events wait for the server: the {oldest.Events.Count} oldest were dropped, {Dropped} so far.");
            }
        }

        /// <summary>The oldest batch that is due: full, from an earlier run, `patience` seconds old, or null.</summary>
        public Batch Next(double now, double patience)
        {
            Batch oldest = batches.FirstOrDefault();
            if (oldest == null || (!oldest.Sealed && now - opened < patience))
                return null;
            oldest.Seal();
            return oldest;
        }

        public void Remove(Batch batch)
        {
            batch.Seal();
            batches.Remove(batch);
            Delete(batch.Path);
        }

        public void Clear()
        {
            foreach (Batch batch in batches.ToArray())
                Remove(batch);
        }

        public void Dispose()
        {
            foreach (Batch batch in batches)
                batch.Seal();
            claim?.Dispose();
        }

        /// <summary>Throws where another process has it: two in one folder would send and delete each other's batches.</summary>
        private void Claim(string path)
        {
            claim = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            try
            {
                claim.Lock(0, 1); // Mono opens it once more outside Windows, in spite of FileShare.None
            }
            catch (NotSupportedException)
            {
                // systems without such locks run one process of a game at a time, or heed FileShare.None
            }
        }

        private Batch Create(string id)
        {
            string name = next++.ToString("D12", CultureInfo.InvariantCulture) + "-" + id + Suffix;
            return new Batch(id, folder == null ? null : Path.Combine(folder, name));
        }

        private void Keep(Batch batch, string json)
        {
            if (batch.Path == null)
                return;
            try
            {
                batch.Write(json);
                unkept = false;
            }
            catch (Exception error) // the disk is full or gone: the event is sent from memory
            {
                if (!unkept)
                    warn("Events cannot be written to disk, and are lost if the game ends offline: " + error.Message);
                unkept = true;
            }
        }

        private void Load()
        {
            foreach (string path in Directory.GetFiles(folder, "*" + Suffix).OrderBy(path => path, StringComparer.Ordinal))
            {
                string[] name = Path.GetFileNameWithoutExtension(path).Split('-');
                if (name.Length == 2 && long.TryParse(name[0], out long place) && new FileInfo(path).Length <= MaxBytes)
                {
                    next = Math.Max(next, place + 1);
                    var batch = new Batch(name[1], path);
                    foreach (string json in Batch.Read(path))
                        batch.Add(json);
                    batch.Seal();
                    if (batch.Events.Count > 0)
                    {
                        batches.Add(batch);
                        continue;
                    }
                }
                Delete(path);
            }
        }

        private void Delete(string path)
        {
            try
            {
                if (path != null)
                    File.Delete(path);
            }
            catch (Exception error)
            {
                warn("Events that were sent stay on disk, and are sent again by the next run: " + error.Message);
            }
        }
    }
}
