using System.Text;

namespace Saastracker
{
    internal static class Hex
    {
        public static string Of(byte[] bytes)
        {
            var text = new StringBuilder(2 * bytes.Length);
            foreach (byte one in bytes)
                text.Append(one.ToString("x2"));
            return text.ToString();
        }
    }
}
