// What the SDK and its sample use of Unity, doing outside Unity what they rely on.
using System;
using System.Collections.Generic;
using System.Reflection;

namespace UnityEngine
{
    public enum HideFlags { None, HideInHierarchy }

    public enum LogType { Error, Assert, Warning, Log, Exception }

    public enum RuntimeInitializeLoadType { SubsystemRegistration = 4 }

    [AttributeUsage(AttributeTargets.Method)]
    public sealed class RuntimeInitializeOnLoadMethodAttribute : Attribute
    {
        public RuntimeInitializeOnLoadMethodAttribute(RuntimeInitializeLoadType loadType) { }
    }

    [AttributeUsage(AttributeTargets.Class)]
    public sealed class AddComponentMenu : Attribute
    {
        public AddComponentMenu(string menuName) { }
    }

    [AttributeUsage(AttributeTargets.Field)]
    public sealed class SerializeField : Attribute { }

    public class Object
    {
        public HideFlags hideFlags { get; set; }

        public static void DontDestroyOnLoad(Object target) { }
    }

    public class MonoBehaviour : Object { }

    public sealed class GameObject : Object
    {
        public GameObject(string name) { }

        public T AddComponent<T>() where T : MonoBehaviour, new()
        {
            var component = new T();
            Engine.Behaviours.Add(component);
            return component;
        }
    }

    public static class GUILayout
    {
        public static bool Button(string text) => false;
    }

    public static class Application
    {
        public delegate void LogCallback(string condition, string stackTrace, LogType type);

        public static event LogCallback logMessageReceivedThreaded;

        public static string version => "3.2.1";

        public static string persistentDataPath { get; set; }

        internal static void Log(string condition, string stack, LogType type)
        {
            logMessageReceivedThreaded?.Invoke(condition, stack, type);
        }
    }

    public static class Debug
    {
        public static void LogWarning(object message)
        {
            Engine.Warned(message.ToString());
            Application.Log(message.ToString(), "", LogType.Warning);
        }

        public static void LogError(object message) => Application.Log(message.ToString(), "Boss:Load () (at Assets/Boss.cs:7)", LogType.Error);

        public static void LogException(Exception error)
        {
            Application.Log(error.GetType().Name + ": " + error.Message, "Boss.Update () (at Assets/Boss.cs:12)", LogType.Exception);
        }
    }

    /// <summary>Stands for the engine's loop.</summary>
    public static class Engine
    {
        public static readonly List<MonoBehaviour> Behaviours = new List<MonoBehaviour>();
        public static readonly Queue<Action> Completed = new Queue<Action>();
        public static Action<string> Warned;

        /// <summary>Calls a message such as Update on every behaviour, as Unity does, by its name.</summary>
        public static void Send(string message, params object[] arguments)
        {
            foreach (MonoBehaviour behaviour in Behaviours)
                behaviour.GetType()
                    .GetMethod(message, BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public)
                    ?.Invoke(behaviour, arguments);
        }

        public static void Frame()
        {
            Send("Update");
            while (true)
            {
                Action next;
                lock (Completed)
                {
                    if (Completed.Count == 0)
                        return;
                    next = Completed.Dequeue();
                }
                next();
            }
        }
    }
}

namespace UnityEngine.SceneManagement
{
    public struct Scene
    {
        public string name { get; set; }
    }

    public static class SceneManager
    {
        private static Scene active = new Scene { name = "Menu" };

        public static event Action<Scene, Scene> activeSceneChanged;

        public static Scene GetActiveScene() => active;

        public static void Enter(string name)
        {
            Scene before = active;
            active = new Scene { name = name };
            activeSceneChanged?.Invoke(before, active);
        }
    }
}
