using UnityEngine;

namespace Saastracker
{
    /// <summary>Tells the client of frames, pauses and the end.</summary>
    [AddComponentMenu("")]
    internal sealed class OwlsignalBehaviour : MonoBehaviour
    {
        private void Update() => OwlsignalClient.Tick();

        private void OnApplicationPause(bool paused)
        {
            if (paused)
                OwlsignalClient.Pause();
        }

        private void OnApplicationQuit() => OwlsignalClient.Quit();
    }
}
