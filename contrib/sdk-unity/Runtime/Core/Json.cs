using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Saastracker
{
    /// <summary>Writes events as the server takes them; what it would refuse is cut or left out here.</summary>
    internal sealed class Json
    {
        private const int DataBytes = 30 * 1024; // the server takes 32 KiB, dimensions included
        private const int DataKeys = 250; // the server takes 255, dimensions included
        private const int TextMax = 8 * 1024;
        private readonly StringBuilder text = new StringBuilder("{");

        /// <summary>Adds a text, cut to `max` UTF-16 units; nothing where it is null or empty.</summary>
        public Json Add(string key, string value, int max)
        {
            if (string.IsNullOrEmpty(value))
                return this;
            Key(text, key);
            Quote(text, value, max);
            return this;
        }

        /// <summary>Adds a number; nothing for null and for what JSON has no word for.</summary>
        public Json Add(string key, double? value)
        {
            if (value == null || double.IsNaN(value.Value) || double.IsInfinity(value.Value))
                return this;
            Key(text, key);
            text.Append(value.Value.ToString("R", CultureInfo.InvariantCulture));
            return this;
        }

        /// <summary>Adds free keys and values; how many were left out because all would be too large.</summary>
        public int Add(string key, IEnumerable<KeyValuePair<string, object>> data)
        {
            var pairs = new StringBuilder("{");
            var pair = new StringBuilder();
            var seen = new HashSet<string>();
            int bytes = 0, left = 0;
            foreach (var item in data)
            {
                string name = item.Key ?? "";
                if (!seen.Add(name))
                    continue;
                pair.Clear();
                Quote(pair, name, TextMax);
                pair.Append(':');
                Value(pair, item.Value);
                int size = Encoding.UTF8.GetByteCount(pair.ToString()) + 1;
                if (bytes + size > DataBytes || seen.Count - left > DataKeys)
                {
                    left++;
                    continue;
                }
                bytes += size;
                pairs.Append(pairs.Length > 1 ? "," : "").Append(pair);
            }
            Key(text, key);
            text.Append(pairs).Append('}');
            return left;
        }

        public override string ToString() => text + "}";

        private static void Key(StringBuilder to, string key)
        {
            to.Append(to.Length > 1 ? "," : "").Append('"').Append(key).Append("\":");
        }

        private static void Value(StringBuilder to, object value)
        {
            if (value == null)
                to.Append("null");
            else if (value is bool)
                to.Append((bool)value ? "true" : "false");
            else if (value is sbyte || value is byte || value is short || value is ushort || value is int || value is uint || value is long)
                to.Append(Convert.ToString(value, CultureInfo.InvariantCulture));
            else if (value is float) // as its own shortest text: 0.1f is 0.1, not 0.10000000149011612
                Number(to, (float)value, ((float)value).ToString("R", CultureInfo.InvariantCulture));
            else if (value is double || value is decimal || value is ulong)
                Number(to, Convert.ToDouble(value), Convert.ToDouble(value).ToString("R", CultureInfo.InvariantCulture));
            else
                Quote(to, Convert.ToString(value, CultureInfo.InvariantCulture) ?? "", TextMax);
        }

        private static void Number(StringBuilder to, double number, string text)
        {
            to.Append(double.IsNaN(number) || double.IsInfinity(number) ? "null" : text);
        }

        private static void Quote(StringBuilder to, string value, int max)
        {
            int end = Math.Min(value.Length, max);
            if (end < value.Length && char.IsHighSurrogate(value[end - 1]))
                end--;
            to.Append('"');
            for (int at = 0; at < end; at++)
            {
                char letter = value[at];
                if (letter == '"' || letter == '\\')
                    to.Append('\\').Append(letter);
                else if (letter == '\n')
                    to.Append("\\n");
                else if (letter == '\0')
                    continue; // refused by the server wherever it stands
                else if (letter < ' ')
                    to.Append("\\u").Append(((int)letter).ToString("x4", CultureInfo.InvariantCulture));
                else
                    to.Append(letter);
            }
            to.Append('"');
        }
    }
}
