//! Emoji by the short names that people type.

/// (name, character), in the order of names; names are of `[a-z0-9_+-]`.
#[rustfmt::skip]
pub(super) const EMOJI: &[(&str, &str)] = &[
    ("+1", "👍"), ("-1", "👎"), ("100", "💯"), ("1234", "🔢"), ("alarm_clock", "⏰"), ("alien", "👽"),
    ("ambulance", "🚑"), ("anchor", "⚓"), ("angry", "😠"), ("ant", "🐜"), ("apple", "🍎"), ("arrow_down", "⬇️"),
    ("arrow_left", "⬅️"), ("arrow_right", "➡️"), ("arrow_up", "⬆️"), ("art", "🎨"), ("astonished", "😲"),
    ("balloon", "🎈"), ("bar_chart", "📊"), ("beer", "🍺"), ("beers", "🍻"), ("bell", "🔔"), ("bike", "🚲"),
    ("blue_heart", "💙"), ("blush", "😊"), ("bomb", "💣"), ("book", "📖"), ("bookmark", "🔖"), ("books", "📚"),
    ("boom", "💥"), ("brain", "🧠"), ("broken_heart", "💔"), ("bug", "🐛"), ("bulb", "💡"), ("butterfly", "🦋"),
    ("cactus", "🌵"), ("cake", "🍰"), ("calendar", "📅"), ("camera", "📷"), ("carrot", "🥕"), ("cat", "🐱"),
    ("champagne", "🍾"), ("chart_with_downwards_trend", "📉"), ("chart_with_upwards_trend", "📈"),
    ("checkered_flag", "🏁"), ("cherry_blossom", "🌸"), ("clap", "👏"), ("clipboard", "📋"), ("cloud", "☁️"),
    ("clown_face", "🤡"), ("coffee", "☕"), ("cold_face", "🥶"), ("computer", "💻"), ("confetti_ball", "🎊"),
    ("confused", "😕"), ("construction", "🚧"), ("cookie", "🍪"), ("cool", "😎"), ("crab", "🦀"),
    ("crossed_fingers", "🤞"), ("crown", "👑"), ("cry", "😢"), ("crystal_ball", "🔮"), ("dart", "🎯"),
    ("disappointed", "😞"), ("dizzy", "💫"), ("dog", "🐶"), ("door", "🚪"), ("dragon", "🐉"),
    ("earth_africa", "🌍"), ("elephant", "🐘"), ("email", "📧"), ("exclamation", "❗"), ("exploding_head", "🤯"),
    ("eyes", "👀"), ("facepalm", "🤦"), ("fire", "🔥"), ("fireworks", "🎆"), ("fish", "🐟"), ("flushed", "😳"),
    ("four_leaf_clover", "🍀"), ("fox", "🦊"), ("frog", "🐸"), ("frowning", "☹️"), ("gear", "⚙️"),
    ("gem", "💎"), ("ghost", "👻"), ("gift", "🎁"), ("goat", "🐐"), ("grapes", "🍇"), ("green_apple", "🍏"),
    ("green_heart", "💚"), ("grimacing", "😬"), ("grin", "😁"), ("grinning", "😀"), ("hammer", "🔨"),
    ("handshake", "🤝"), ("heart", "❤️"), ("heart_eyes", "😍"), ("hedgehog", "🦔"), ("hourglass", "⌛"),
    ("hug", "🤗"), ("innocent", "😇"), ("joy", "😂"), ("key", "🔑"), ("label", "🏷️"), ("laughing", "😆"),
    ("link", "🔗"), ("lock", "🔒"), ("loudspeaker", "📢"), ("lying_face", "🤥"), ("mag", "🔍"), ("mask", "😷"),
    ("medal", "🏅"), ("memo", "📝"), ("microscope", "🔬"), ("money_with_wings", "💸"), ("monkey", "🐒"),
    ("moon", "🌙"), ("muscle", "💪"), ("mushroom", "🍄"), ("nerd_face", "🤓"), ("neutral_face", "😐"),
    ("no_entry", "⛔"), ("octopus", "🐙"), ("ok_hand", "👌"), ("owl", "🦉"), ("package", "📦"),
    ("palm_tree", "🌴"), ("panda", "🐼"), ("paperclip", "📎"), ("partying_face", "🥳"), ("penguin", "🐧"),
    ("pill", "💊"), ("pizza", "🍕"), ("point_down", "👇"), ("point_left", "👈"), ("point_right", "👉"),
    ("point_up", "👆"), ("poop", "💩"), ("pray", "🙏"), ("purple_heart", "💜"), ("pushpin", "📌"),
    ("puzzle_piece", "🧩"), ("question", "❓"), ("rabbit", "🐰"), ("rage", "😡"), ("rainbow", "🌈"),
    ("raised_hand", "✋"), ("raised_hands", "🙌"), ("recycle", "♻️"), ("red_circle", "🔴"), ("relaxed", "☺️"),
    ("relieved", "😌"), ("robot", "🤖"), ("rocket", "🚀"), ("rofl", "🤣"), ("rose", "🌹"),
    ("rotating_light", "🚨"), ("ruler", "📏"), ("running", "🏃"), ("salute", "🫡"), ("satellite", "📡"),
    ("scales", "⚖️"), ("scissors", "✂️"), ("scream", "😱"), ("see_no_evil", "🙈"), ("seedling", "🌱"),
    ("shield", "🛡️"), ("ship", "🚢"), ("shrug", "🤷"), ("skull", "💀"), ("sleeping", "😴"), ("smile", "😄"),
    ("smiley", "😃"), ("smirk", "😏"), ("snail", "🐌"), ("snowflake", "❄️"), ("sob", "😭"), ("sparkles", "✨"),
    ("speech_balloon", "💬"), ("star", "⭐"), ("star_struck", "🤩"), ("stopwatch", "⏱️"), ("strawberry", "🍓"),
    ("sunglasses", "😎"), ("sunny", "☀️"), ("sweat", "😓"), ("sweat_smile", "😅"), ("taco", "🌮"),
    ("tada", "🎉"), ("telescope", "🔭"), ("thinking", "🤔"), ("thumbsdown", "👎"), ("thumbsup", "👍"),
    ("tired_face", "😫"), ("toolbox", "🧰"), ("trophy", "🏆"), ("truck", "🚚"), ("turtle", "🐢"),
    ("umbrella", "☔"), ("unicorn", "🦄"), ("unlock", "🔓"), ("upside_down_face", "🙃"), ("warning", "⚠️"),
    ("watermelon", "🍉"), ("wave", "👋"), ("whale", "🐳"), ("white_check_mark", "✅"), ("wink", "😉"),
    ("wrench", "🔧"), ("x", "❌"), ("yawning_face", "🥱"), ("yellow_heart", "💛"), ("yum", "😋"), ("zap", "⚡"),
    ("zipper_mouth_face", "🤐"),
];

#[cfg(test)]
mod tests {
    use super::EMOJI;
    use crate::view::markdown::plain;

    #[test]
    fn names_are_names_and_characters_are_seen() {
        assert!(EMOJI.is_sorted_by(|one, other| one.0 < other.0), "in order, each once");
        for (name, character) in EMOJI {
            assert!(
                name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte)),
                "{name}"
            );
            assert!(!character.is_ascii() && plain(character, 4) == *character, "{name}");
        }
    }
}
