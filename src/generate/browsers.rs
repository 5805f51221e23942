//! The user agents of people: browsers on desks, telephones and televisions, and applications.

use super::family::{Family, Manner};

/// Chromium's major versions, the commonest first.
const CHROMIUM: &[&str] = &[
    "147", "146", "145", "144", "143", "142", "141", "140", "139", "138", "137", "136", "135", "134", "133", "132",
    "131", "130",
];
/// Full versions, which only embedded web views still show.
const WEB_VIEW: &[&str] = &[
    "146.0.7680.119",
    "145.0.7632.109",
    "144.0.7559.132",
    "143.0.7499.146",
    "142.0.7444.102",
    "141.0.7390.122",
    "140.0.7339.207",
    "139.0.7258.158",
    "138.0.7204.179",
    "137.0.7151.115",
    "135.0.7049.111",
    "133.0.6943.137",
    "131.0.6778.260",
    "130.0.6723.107",
];
const FIREFOX: &[&str] = &[
    "149.0", "148.0", "147.0", "146.0", "145.0", "144.0", "143.0", "142.0", "141.0", "140.0", "139.0", "138.0",
    "137.0", "136.0", "135.0", "134.0", "133.0", "132.0", "128.0",
];
const OPERA: &[&str] = &[
    "145.0.0.0 Safari/537.36 OPR/129.0.0.0",
    "144.0.0.0 Safari/537.36 OPR/128.0.0.0",
    "143.0.0.0 Safari/537.36 OPR/127.0.0.0",
    "142.0.0.0 Safari/537.36 OPR/126.0.0.0",
    "141.0.0.0 Safari/537.36 OPR/125.0.0.0",
    "140.0.0.0 Safari/537.36 OPR/124.0.0.0",
    "138.0.0.0 Safari/537.36 OPR/122.0.0.0",
    "137.0.0.0 Safari/537.36 OPR/121.0.0.0",
    "135.0.0.0 Safari/537.36 OPR/120.0.0.0",
    "134.0.0.0 Safari/537.36 OPR/119.0.0.0",
];
const SAFARI: &[&str] = &[
    "26.4", "26.3", "26.2", "18.6", "26.1", "26.0", "18.5", "18.4", "18.3.1", "18.3", "18.2", "18.1.1", "18.1",
    "18.0.1", "17.6", "17.5", "17.4.1", "17.3", "17.2.1", "17.1",
];
/// Systems of telephones and tablets with the browser's version; from 26 on the system's number
/// stands still.
const SAFARI_MOBILE: &[&str] = &[
    "18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.4",
    "18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.3",
    "18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.2",
    "18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6",
    "18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1",
    "18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0",
    "18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5",
    "18_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4",
    "18_3_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3.1",
    "18_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.2",
    "18_1_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1.1",
    "18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0",
    "17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.7",
    "17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6",
    "17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5",
    "17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1",
    "17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2",
    "17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1",
];
const IOS: &[&str] = &["18_7", "18_6_2", "26_1_0", "18_5", "26_2_0", "18_4_1", "17_7_2", "17_6_1", "18_1_1", "16_7_10"];
const SAMSUNG: &[&str] =
    &["29.0 Chrome/136.0.0.0", "28.0 Chrome/130.0.0.0", "27.0 Chrome/125.0.0.0", "26.0 Chrome/122.0.0.0"];
/// Android versions with devices, as web views and older browsers name them.
const ANDROID: &[&str] = &[
    "16; SM-S938B Build/BP2A.250605.031.A3",
    "15; SM-S928B Build/AP3A.240905.015.A2",
    "16; Pixel 9 Build/BP3A.250905.014",
    "15; SM-A556B Build/AP3A.240905.015.A2",
    "14; SM-A546B Build/UP1A.231005.007",
    "16; Pixel 9 Pro Build/BP3A.250905.014",
    "15; SM-A166B Build/AP3A.240905.015.A2",
    "14; SM-S911B Build/UP1A.231005.007",
    "15; 24069PC21G Build/AP3A.240905.015.A2",
    "14; 2312DRA50G Build/UP1A.230905.011",
    "13; SM-A336B Build/TP1A.220624.014",
    "16; Pixel 8a Build/BP3A.250905.014",
    "14; SM-A155F Build/UP1A.231005.007",
    "13; 22101316G Build/TP1A.220624.014",
    "15; CPH2581 Build/AP3A.240617.008",
    "14; moto g84 5G Build/U1TCS34M.13-44-6",
    "12; SM-G973F Build/SP1A.210812.016",
    "14; V2303 Build/UP1A.231005.007",
    "13; CPH2477 Build/TP1A.220905.001",
    "15; XQ-EC54 Build/69.2.A.2.62",
    "14; RMX3840 Build/UP1A.230620.001",
    "12; M2101K6G Build/SKQ1.210908.001",
    "13; Redmi Note 8 Pro Build/TP1A.220905.004",
    "14; A065 Build/UP1A.231005.007",
    "11; SM-A515F Build/RP1A.200720.012",
    "14; motorola edge 40 neo Build/U1TMS34M.6-44-5",
    "13; ASUS_AI2302 Build/TKQ1.221220.001",
    "12; TECNO KI5q Build/SP1A.210812.016",
    "13; Infinix X6711 Build/TP1A.220624.014",
    "10; MAR-LX1A Build/HUAWEIMAR-L21A",
    "12; VOG-L29 Build/HUAWEIVOG-L29",
    "15; SM-X710 Build/AP3A.240905.015.A2",
    "14; SM-T636B Build/UP1A.231005.007",
    "11; moto e20 Build/RONS31.267-94-14",
    "10; Nokia 5.3 Build/QKQ1.191014.001",
    "9; SM-J530F Build/PPR1.180610.011",
    "16; SM-F966B Build/BP2A.250605.031.A3",
    "15; FP5 Build/AQ3A.240912.001",
];
/// The same devices where nothing of the build is shown.
const GALAXY: &[&str] = &[
    "16; SM-S938B",
    "15; SM-S928B",
    "15; SM-S921B",
    "14; SM-S911B",
    "15; SM-A556B",
    "14; SM-A546B",
    "15; SM-A166B",
    "14; SM-A155F",
    "13; SM-A336B",
    "13; SM-A235F",
    "12; SM-A217F",
    "13; SM-G991B",
    "14; SM-G990B",
    "12; SM-G973F",
    "16; SM-F966B",
    "15; SM-F741B",
    "14; SM-X205",
    "15; SM-X710",
    "11; SM-A515F",
    "13; SM-M336B",
    "12; SM-N986B",
    "14; SM-E146B",
    "10; SM-A405FN",
    "11; SM-T505",
];
const IPHONES: &[&str] = &[
    "iPhone16,1; iOS 18_7",
    "iPhone17,1; iOS 26_1",
    "iPhone15,4; iOS 18_6_2",
    "iPhone14,5; iOS 18_5",
    "iPhone17,3; iOS 26_0_1",
    "iPhone15,2; iOS 18_6",
    "iPhone18,1; iOS 26_1",
    "iPhone14,7; iOS 18_3_2",
    "iPhone13,2; iOS 18_1",
    "iPhone12,1; iOS 17_6_1",
    "iPhone12,8; iOS 17_5",
    "iPhone18,3; iOS 26_2",
    "iPhone14,6; iOS 18_4_1",
    "iPhone13,4; iOS 17_7",
];
const INSTAGRAM: &[&str] = &[
    "402.0.0.31.84",
    "400.1.0.23.72",
    "398.0.0.46.100",
    "395.0.0.35.79",
    "391.1.0.38.75",
    "387.0.0.31.80",
    "380.0.0.28.109",
    "372.0.0.29.103",
    "366.0.0.34.90",
];
const FACEBOOK: &[&str] =
    &["536.0.0.46.77", "533.0.0.47.109", "529.0.0.44.108", "524.0.0.42.60", "517.0.0.41.70", "509.0.0.51.108"];
const FIRE_TV: &[&str] = &[
    "Android 9; AFTKM Build/PS7704",
    "Android 11; AFTKRT Build/RS8124",
    "Android 9; AFTSSS Build/PS7699",
    "Android 7.1.2; AFTMM Build/NS6297",
    "Android 11; BRAVIA 4K VH2 Build/RTT1.211123.001",
    "Android 12; Chromecast Build/STTL.241013.003",
    "Android 10; MiTV-MOOQ1 Build/QTG3.200305.006",
    "Android 12; TPM191E Build/STT2.230203.001",
];
const APPS: &[&str] = &[
    "Northlight/482",
    "Northlight/479",
    "Northlight/471",
    "Harbour%20Shop/5.12.0",
    "Harbour%20Shop/5.11.2",
    "TrailMap/3.4.1",
    "Fjord/210",
];
const DARWIN: &[&str] = &[
    "CFNetwork/3860.300.31 Darwin/25.2.0",
    "CFNetwork/3826.600.41 Darwin/24.6.0",
    "CFNetwork/3826.500.131 Darwin/24.5.0",
    "CFNetwork/1568.300.101 Darwin/24.2.0",
    "CFNetwork/1498.700.2 Darwin/23.6.0",
    "CFNetwork/1494.0.7 Darwin/23.4.0",
    "CFNetwork/1410.1 Darwin/22.6.0",
];

const fn family(
    weight: f64,
    template: &'static str,
    a: &'static [&'static str],
    b: &'static [&'static str],
    c: &'static [&'static str],
) -> Family {
    Family { weight, manner: Manner::Person, template, a, b, c }
}

/// Every family of browsers and applications.
#[rustfmt::skip]
pub(super) const BROWSERS: &[Family] = &[
    family(23.0, "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{a}.0.0.0 Safari/537.36", CHROMIUM, &[], &[]),
    family(20.0, "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{a}.0.0.0 Mobile Safari/537.36", CHROMIUM, &[], &[]),
    family(17.0, "Mozilla/5.0 (iPhone; CPU iPhone OS {a} Mobile/15E148 Safari/604.1", SAFARI_MOBILE, &[], &[]),
    family(6.0, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{a}.0.0.0 Safari/537.36", CHROMIUM, &[], &[]),
    family(5.5, "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{a}.0.0.0 Safari/537.36 Edg/{a}.0.0.0", CHROMIUM, &[], &[]),
    family(4.5, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{a} Safari/605.1.15", SAFARI, &[], &[]),
    family(3.5, "Mozilla/5.0 (Linux; Android {b}) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/{a} Mobile Safari/537.36", SAMSUNG, GALAXY, &[]),
    family(2.5, "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{a}) Gecko/20100101 Firefox/{a}", FIREFOX, &[], &[]),
    family(1.6, "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{a}.0.0.0 Safari/537.36", CHROMIUM, &[], &[]),
    family(1.5, "Mozilla/5.0 (iPad; CPU OS {a} Mobile/15E148 Safari/604.1", SAFARI_MOBILE, &[], &[]),
    family(1.2, "Mozilla/5.0 (iPhone; CPU iPhone OS {b} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/{a}.0.0.0 Mobile/15E148 Safari/604.1", CHROMIUM, IOS, &[]),
    family(1.2, "Mozilla/5.0 (iPhone; CPU iPhone OS {b} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/{a}.0.7499.151 Mobile/15E148 Safari/604.1", &["396", "392", "388", "384", "379", "370", "361", "350"], IOS, &[]),
    family(1.0, "Mozilla/5.0 (Linux; Android {b}; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/{a} Mobile Safari/537.36", WEB_VIEW, ANDROID, &[]),
    family(1.0, "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/22G86 Instagram {a} ({b}; de_DE; de; scale=3.00; 1179x2556; 789{c})", INSTAGRAM, IPHONES, &["41203", "33918"]),
    family(0.9, "Mozilla/5.0 (Linux; Android {b}; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/144.0.7559.132 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/{a};]", FACEBOOK, ANDROID, &[]),
    family(0.8, "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{a}.0.0.0 Safari/537.36", CHROMIUM, &[], &[]),
    family(0.8, "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/22F76 [FBAN/FBIOS;FBAV/{a};FBBV/7{c};FBDV/{b}]", FACEBOOK, &["iPhone16,1", "iPhone15,4", "iPhone14,5", "iPhone17,1", "iPhone13,2", "iPhone12,1", "iPhone14,7", "iPhone15,2"], &["45012377", "38227109"]),
    family(0.7, "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:{a}) Gecko/20100101 Firefox/{a}", FIREFOX, &[], &[]),
    family(0.7, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:{a}) Gecko/20100101 Firefox/{a}", FIREFOX, &[], &[]),
    family(0.7, "Mozilla/5.0 (X11; Linux x86_64; rv:{a}) Gecko/20100101 Firefox/{a}", FIREFOX, &[], &[]),
    family(0.7, "Mozilla/5.0 (Android {b}; Mobile; rv:{a}) Gecko/{a} Firefox/{a}", FIREFOX, &["15", "16", "14", "13"], &[]),
    family(0.6, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{a}.0.0.0 Safari/537.36 Edg/{a}.0.0.0", CHROMIUM, &[], &[]),
    family(0.6, "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{a}.0.0.0 Mobile Safari/537.36 EdgA/{a}.0.0.0", CHROMIUM, &[], &[]),
    family(0.6, "Mozilla/5.0 ({b}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{a}", OPERA, &["Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64"], &[]),
    family(0.5, "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0.0.0 Mobile Safari/537.36 OPR/{a}.0.0.0", &["94", "93", "92", "91", "90", "89"], &[], &[]),
    family(0.5, "Mozilla/5.0 (iPhone; CPU iPhone OS {b} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/{a} Mobile/15E148 Safari/605.1.15", FIREFOX, IOS, &[]),
    family(0.4, "Mozilla/5.0 (iPhone; CPU iPhone OS {b} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 EdgiOS/{a}.0.3485.66 Mobile/15E148 Safari/605.1.15", CHROMIUM, &["18_6_2", "18_5", "17_7_2", "18_7"], &[]),
    family(0.6, "Instagram {a} Android ({b}; 420dpi; 1080x2340; samsung; en_GB; 7{c})", INSTAGRAM, &["36/16; SM-S938B", "35/15; SM-S928B", "34/14; SM-A546B", "33/13; SM-A336B", "31/12; SM-G973F", "30/11; SM-A515F"], &["92004417", "85113906", "77230188"]),
    family(0.6, "{a} {b}", APPS, DARWIN, &[]),
    family(0.5, "Northlight/{a} (Android {b})", &["9.14.1", "9.14.0", "9.13.2", "9.12.0", "9.10.3", "9.8.0"], &["16; SM-S938B", "15; SM-A556B", "14; 2312DRA50G", "16; Pixel 9", "13; CPH2477"], &[]),
    family(0.6, "Mozilla/5.0 (SMART-TV; LINUX; Tizen {a}) AppleWebKit/537.36 (KHTML, like Gecko) {b} TV Safari/537.36", &["9.0", "8.0", "7.0", "6.5", "6.0", "5.5"], &["120.0.6099.5/9.0", "108.0.5359.1/8.0", "94.0.4606.31/7.0"], &[]),
    family(0.6, "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{a} Safari/537.36 WebAppManager", &["120.0.6099.270", "108.0.5359.211", "94.0.4606.128", "87.0.4280.88", "79.0.3945.79", "68.0.3440.106"], &[], &[]),
    family(0.6, "Mozilla/5.0 (Linux; {b}; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/{a} Mobile Safari/537.36", WEB_VIEW, FIRE_TV, &[]),
    family(0.5, "AppleCoreMedia/1.0.0.{a} ({b}; U; CPU OS 18_5 like Mac OS X; {c})", &["22L572", "22F76", "23B85", "21L580"], &["Apple TV", "iPhone", "iPad"], &["en_us", "de_de", "fr_fr"]),
    family(0.3, "ExoPlayerDemo/2.19.1 (Linux; Android {a}) AndroidXMedia3/{b}", &["15", "14", "13", "12"], &["1.8.0", "1.7.1", "1.5.1", "1.4.1"], &[]),
    family(0.3, "Roku/DVP-{a} ({a}.4.0.{b})", &["15.0", "14.6", "14.5", "13.3"], &["4235", "4190"], &[]),
    family(0.2, "Mozilla/5.0 (PlayStation; PlayStation 5/{a}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15", &["12.00", "11.60", "11.20"], &[], &[]),
    family(0.2, "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko", &[], &[], &[]),
    family(0.2, "Mozilla/5.0 (Windows NT {a}; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/109.0.0.0 Safari/537.36", &["6.1", "6.3", "6.2"], &[], &[]),
];
