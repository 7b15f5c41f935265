using System;
using System.IO;
using System.Security.Cryptography;
using System.Text;

namespace Saastracker
{
    /// <summary>What a device keeps between runs besides events: who plays, and whether they opted out.</summary>
    internal sealed class Device
    {
        private readonly string folder; // null where there is no disk to write to
        private readonly string hashFile, optedOutFile;
        private readonly Action<string> warn;
        private string hash;

        public Device(string folder, Action<string> warn)
        {
            this.warn = warn;
            this.folder = folder;
            hashFile = Path.Combine(folder ?? "", "player");
            optedOutFile = Path.Combine(folder ?? "", "opted-out");
            Try(() => OptedOut = File.Exists(optedOutFile));
        }

        public bool OptedOut { get; private set; }

        /// <summary>Random, the same for every run until the player opts out: 32 hex digits.</summary>
        public string Hash()
        {
            Try(() => hash = hash ?? (File.Exists(hashFile) ? File.ReadAllText(hashFile).Trim() : null));
            if (hash == null || hash.Length != 32)
            {
                hash = Guid.NewGuid().ToString("N");
                Try(() => File.WriteAllText(hashFile, hash));
            }
            return hash;
        }

        /// <summary>Remembers it. Opting out also forgets who played.</summary>
        public void OptOut(bool optedOut)
        {
            OptedOut = optedOut;
            hash = null;
            Try(() =>
            {
                if (optedOut)
                    File.WriteAllText(optedOutFile, "");
                File.Delete(optedOut ? hashFile : optedOutFile);
            });
        }

        /// <summary>The same hash for the same user on every device: 64 hex digits.</summary>
        public static string HashOf(string userId)
        {
            using (var sha = SHA256.Create())
                return Hex.Of(sha.ComputeHash(Encoding.UTF8.GetBytes(userId)));
        }

        private void Try(Action action)
        {
            if (folder == null)
                return;
            try
            {
                Directory.CreateDirectory(folder);
                action();
            }
            catch (Exception error)
            {
                warn("What is known of this device is forgotten when the game ends: " + error.Message);
            }
        }
    }
}
