using System.Collections.Generic;
using Saastracker;
using UnityEngine;

/// <summary>Put it on any object of a scene, fill in address and key, and press Play.</summary>
public sealed class OwlsignalSample : MonoBehaviour
{
    [SerializeField] private string endpointUrl = "http://127.0.0.1:8000/api/v1/events";
    [SerializeField] private string apiKey = "pk_live_…";
    private bool optedOut;

    private void Awake()
    {
        OwlsignalClient.Initialize(new OwlsignalSettings { EndpointUrl = endpointUrl, ApiKey = apiKey, CaptureErrors = true });
    }

    private void OnGUI()
    {
        if (GUILayout.Button("Start a run"))
            OwlsignalClient.TrackProgression("Start:Run", dim01: "forest");
        if (GUILayout.Button("Complete the run"))
            OwlsignalClient.TrackProgression("Complete:Run", value: 93.5, dim01: "forest");
        if (GUILayout.Button("Click"))
            OwlsignalClient.TrackDesign("CTA:Clicked", data: new Dictionary<string, object> { ["screen"] = "menu" });
        if (GUILayout.Button("Earn 50 gold"))
            OwlsignalClient.TrackResource("Source:Gold", value: 50);
        if (GUILayout.Button("Log an error"))
            Debug.LogError("The boss did not load");
        if (GUILayout.Button("Log in"))
            OwlsignalClient.IdentifyUser("user-abc");
        if (GUILayout.Button(optedOut ? "Opt in" : "Opt out"))
            OwlsignalClient.SetOptOut(optedOut = !optedOut);
    }
}
