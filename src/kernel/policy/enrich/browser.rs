//! Browser, system and class of device. The only file that knows woothee, so that another library
//! can take its place.
//!
//! woothee is right about mainstream traffic, and has not changed since 2021: what it does not know
//! or calls otherwise than people do is mended by `data/browsers.toml`, and its names are mapped
//! here.

use std::sync::LazyLock;

use super::rules::Signs;

/// What a user agent says of the browser and what it runs on. `None`: not known, never 'Other'.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Browser {
    /// Its name, as people say it.
    pub(super) family: Option<String>,
    /// Its major version.
    pub(super) version: Option<String>,
    /// The system.
    pub(super) system: Option<String>,
    /// `desktop`, `mobile`, `tablet`, `tv` or `other`.
    pub(super) class: &'static str,
}

/// Looks at a decoded user agent; the signs are its own.
pub(super) fn browser_of(text: &str, signs: &Signs<'_>) -> Browser {
    static WOOTHEE: LazyLock<woothee::parser::Parser> = LazyLock::new(woothee::parser::Parser::new);
    let found = WOOTHEE.parse(text).unwrap_or_default();
    let known = |text: &str| (!matches!(text, "" | "UNKNOWN")).then(|| text.to_owned());
    let system = signs.system.map(str::to_owned).or_else(|| known(system(found.os)));
    let (family, version) = match signs.browser {
        Some((family, behind)) => (Some(family.to_owned()), major(&text[behind..])),
        None if found.category == "crawler" => (None, None),
        None => (known(family(found.name, system.as_deref(), text)), major(found.version)),
    };
    let class = device_class(found.category, system.as_deref(), text, signs);
    Browser { version: version.filter(|_| family.is_some()), family, system, class }
}

/// The number at the beginning, without what follows its first dot.
pub(super) fn major(version: &str) -> Option<String> {
    let version = version.trim_start_matches(['/', ' ', 'v']);
    let digits = version.bytes().take_while(u8::is_ascii_digit).count();
    (1..=6).contains(&digits).then(|| version[..digits].to_owned())
}

/// woothee's names as people say them.
fn family<'f>(name: &'f str, system: Option<&str>, text: &str) -> &'f str {
    match name {
        "Safari" | "Chrome" | "Webview" if text.contains("; wv)") => "Android WebView",
        "Safari" if system == Some("Android") => "Android Browser",
        // An app's view on iOS or macOS is Safari's engine without its name.
        "Webview" => "Safari",
        "SamsungBrowser" => "Samsung Internet",
        "Google Search App" => "Google App",
        "HTTP Library" => "",
        console if console.starts_with("Xbox") => "Internet Explorer",
        console if ["PlayStation", "Nintendo"].iter().any(|maker| console.starts_with(maker)) => "",
        other => other,
    }
}

/// woothee's systems as people say them; browsers have frozen the versions, so those say nothing.
fn system(os: &str) -> &str {
    match os {
        "iPhone" | "iPod" => "iOS",
        "iPad" => "iPadOS",
        "Mac OSX" => "macOS",
        "Mac OS Classic" => "Mac OS",
        "BSD" => "FreeBSD",
        "SymbianOS" => "Symbian",
        "BlackBerry 10" => "BlackBerry",
        other if other.starts_with("Windows Phone") => "Windows Phone",
        "Windows CE" => "Windows Mobile",
        other if other.starts_with("Windows") => "Windows",
        other if other.starts_with("PlayStation") => "PlayStation",
        other if other.starts_with("Nintendo") => "Nintendo",
        other if other.starts_with("Xbox") => "Xbox",
        other => other,
    }
}

fn device_class(category: &str, system: Option<&str>, text: &str, signs: &Signs<'_>) -> &'static str {
    match signs.class {
        Some("tv") => return "tv",
        Some("tablet") => return "tablet",
        Some("mobile") => return "mobile",
        Some(_) => return "other",
        None => {}
    }
    let handheld = text.contains("Mobi") || text.contains("Phone");
    match system.and_then(|system| class_of_system(system, handheld, text.starts_with("Mozilla/"))) {
        Some(class) => class,
        None => match category {
            "pc" => "desktop",
            "smartphone" | "mobilephone" => "mobile",
            "appliance" if system == Some("DigitalTV") => "tv",
            _ => "other",
        },
    }
}

/// What runs a system, where that tells. Browsers of Android say `Mobile` on phones and nothing on
/// tablets; apps say neither.
fn class_of_system(system: &str, handheld: bool, browser: bool) -> Option<&'static str> {
    Some(match system {
        "Android" | "HarmonyOS" | "Firefox OS" if browser && !handheld => "tablet",
        "Android" | "HarmonyOS" | "Firefox OS" | "iOS" | "KaiOS" | "Windows Phone" | "Windows Mobile" | "Symbian"
        | "Series 40" | "BlackBerry" | "Bada" | "MeeGo" | "Maemo" | "Sailfish OS" | "Palm OS" | "Tizen" => "mobile",
        "webOS" if handheld => "mobile",
        "iPadOS" => "tablet",
        "webOS" | "Roku" | "tvOS" => "tv",
        "PlayStation" | "Xbox" | "Nintendo" | "watchOS" => "other",
        "Windows" | "macOS" | "Mac OS" | "Linux" | "ChromeOS" | "FreeBSD" | "OpenBSD" | "NetBSD" | "Solaris"
        | "Haiku" | "AmigaOS" | "OS/2" | "Fuchsia" => "desktop",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::policy::enrich::rules::Rules;

    /// Family, version, system and class of each; what woothee 0.13 says of it stands beside.
    #[test]
    fn faults_of_woothee_are_mended() {
        let rules = Rules::built_in().unwrap();
        for (text, expected) in [
            // Safari
            (
                "Mozilla/5.0 (Linux; U; Android 4.1.2; en-us; LG-P768 Build/JZO54K) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30",
                "Android Browser 4 Android mobile",
            ),
            // iOS
            ("Mail/3112 CFNetwork/760.2.6 Darwin/15.3.0 (x86_64)", "- - macOS desktop"),
            // Linux, pc
            (
                "Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/2.2 Chrome/63.0.3239.84 TV Safari/537.36",
                "Samsung Internet 2 Tizen tv",
            ),
            // Linux, pc
            (
                "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/79.0.3945.79 Safari/537.36 WebAppManager",
                "Chrome 79 webOS tv",
            ),
            // iPhone, iPad
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
                "Safari 18 iOS mobile",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1",
                "Chrome 126 iPadOS tablet",
            ),
            // Windows 10
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                "Edge 140 Windows desktop",
            ),
            // Mac OSX
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:142.0) Gecko/20100101 Firefox/142.0",
                "Firefox 142 macOS desktop",
            ),
            // SamsungBrowser
            (
                "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
                "Samsung Internet 25 Android mobile",
            ),
            // a smartphone
            (
                "Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
                "Chrome 126 Android tablet",
            ),
            // Chrome
            (
                "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
                "Chrome 126 ChromeOS desktop",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 YaBrowser/24.6.0.0 Safari/537.36",
                "Yandex Browser 24 Windows desktop",
            ),
            // nothing
            (
                "Mozilla/5.0 (Mobile; Nokia_8110_4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5",
                "Firefox 48 KaiOS mobile",
            ),
        ] {
            let Browser { family, version, system, class } = browser_of(text, &rules.signs_in(text));
            let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
            assert_eq!(
                format!("{} {} {} {class}", or_dash(family), or_dash(version), or_dash(system)),
                expected,
                "{text}"
            );
        }
    }
}
