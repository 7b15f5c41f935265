using System;

namespace Saastracker
{
    /// <summary>Where events go and who sends them.</summary>
    public sealed class OwlsignalSettings
    {
        /// <summary>Your server's address of the format, such as https://stats.example.com/api/v1/events.</summary>
        public string EndpointUrl;

        /// <summary>The project's bearer key, pk_live_…; leave it out where requests are signed.</summary>
        public string ApiKey;

        /// <summary>Names the project where requests are signed; goes together with ApiSecret.</summary>
        public string AppUuid;

        /// <summary>
        /// Signs requests by HMAC-SHA256, for endpoints with the auth scheme "hmac". Only for programs that stay with
        /// you, such as game servers: a secret can be read out of every game that players have.
        /// </summary>
        public string ApiSecret;

        /// <summary>1 to 64 characters; longer ones are cut. In Unity the default is Application.version.</summary>
        public string BuildVersion;

        /// <summary>Whether Unity's errors and exceptions become events of the type error.</summary>
        public bool CaptureErrors;

        /// <summary>What has to be set before anything can be sent, or null where all is well.</summary>
        internal string Mistake()
        {
            if (!Uri.TryCreate(EndpointUrl, UriKind.Absolute, out Uri url) || (url.Scheme != "https" && url.Scheme != "http"))
                return "Set EndpointUrl to the address of your server, such as https://stats.example.com/api/v1/events.";
            if (string.IsNullOrEmpty(BuildVersion))
                return "Set BuildVersion to the version of your game, such as 1.4.0.";
            bool signed = !string.IsNullOrEmpty(AppUuid) && !string.IsNullOrEmpty(ApiSecret);
            if (string.IsNullOrEmpty(ApiKey) && !signed)
                return "Set ApiKey to the project's bearer key, or AppUuid and ApiSecret where requests are signed.";
            return null;
        }
    }
}
