#include "daemon/country_codes.h"

#include <map>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace tollgate::daemon {
namespace {

/// Every code that a country has, and whose it is where nothing longer says otherwise.
constexpr const char* kCodes =
    "1 US 7 RU 20 EG 27 ZA 30 GR 31 NL 32 BE 33 FR 34 ES 36 HU 39 IT 40 RO 41 CH 43 AT 44 GB "
    "45 DK 46 SE 47 NO 48 PL 49 DE 51 PE 52 MX 53 CU 54 AR 55 BR 56 CL 57 CO 58 VE 60 MY 61 AU "
    "62 ID 63 PH 64 NZ 65 SG 66 TH 81 JP 82 KR 84 VN 86 CN 90 TR 91 IN 92 PK 93 AF 94 LK 95 MM "
    "98 IR 211 SS 212 MA 213 DZ 216 TN 218 LY 220 GM 221 SN 222 MR 223 ML 224 GN 225 CI 226 BF "
    "227 NE 228 TG 229 BJ 230 MU 231 LR 232 SL 233 GH 234 NG 235 TD 236 CF 237 CM 238 CV 239 ST "
    "240 GQ 241 GA 242 CG 243 CD 244 AO 245 GW 246 IO 247 AC 248 SC 249 SD 250 RW 251 ET 252 SO "
    "253 DJ 254 KE 255 TZ 256 UG 257 BI 258 MZ 260 ZM 261 MG 262 RE 263 ZW 264 NA 265 MW 266 LS "
    "267 BW 268 SZ 269 KM 290 SH 291 ER 297 AW 298 FO 299 GL 350 GI 351 PT 352 LU 353 IE 354 IS "
    "355 AL 356 MT 357 CY 358 FI 359 BG 370 LT 371 LV 372 EE 373 MD 374 AM 375 BY 376 AD 377 MC "
    "378 SM 379 VA 380 UA 381 RS 382 ME 383 XK 385 HR 386 SI 387 BA 389 MK 420 CZ 421 SK 423 LI "
    "500 FK 501 BZ 502 GT 503 SV 504 HN 505 NI 506 CR 507 PA 508 PM 509 HT 590 GP 591 BO 592 GY "
    "593 EC 594 GF 595 PY 596 MQ 597 SR 598 UY 599 CW 670 TL 672 NF 673 BN 674 NR 675 PG 676 TO "
    "677 SB 678 VU 679 FJ 680 PW 681 WF 682 CK 683 NU 685 WS 686 KI 687 NC 688 TV 689 PF 690 TK "
    "691 FM 692 MH 850 KP 852 HK 853 MO 855 KH 856 LA 880 BD 886 TW 960 MV 961 LB 962 JO 963 SY "
    "964 IQ 965 KW 966 SA 967 YE 968 OM 970 PS 971 AE 972 IL 973 BH 974 QA 975 BT 976 MN 977 NP "
    "992 TJ 993 TM 994 AZ 995 GE 996 KG 998 UZ ";

std::map<std::string, std::string> codes() {
    std::istringstream text{kCodes};
    std::map<std::string, std::string> codes;
    for (std::string code, country; text >> code >> country;)
        codes[code] = country;
    return codes;
}

TEST(CountryCodes, EachBelongsToItsCountry) {
    const auto all = codes();
    EXPECT_EQ(all.size(), 207U);
    for (const auto& [code, country] : all) {
        EXPECT_EQ(country_of(code), country) << code;
        // A digit that begins no area of a smaller country.
        EXPECT_EQ(country_of(code + "0123456"), country) << code;
    }
}

// Goal: what is no country's code is nobody's: codes of services, and those that nobody has.
TEST(CountryCodes, OthersBelongToNobody) {
    const auto all = codes();
    std::set<std::string> taken;
    for (const auto& [code, country] : all)
        taken.insert(code);
    for (int code = 0; code < 1'000; ++code) {
        const std::string text = std::to_string(code);
        bool begins = false;
        for (std::size_t size = 1; size <= text.size(); ++size)
            begins = begins || taken.contains(text.substr(0, size));
        if (begins) continue;
        EXPECT_EQ(country_of(text), "") << text;
    }
    for (const char* number : {"80012345678", "808123", "870123", "878101", "8816123", "882991", "883510",
                               "888", "979123", "999123", "210123", "", "0", "049123"}) {
        EXPECT_EQ(country_of(number), "") << number;
    }
}

TEST(CountryCodes, SharedOnesAreToldApart) {
    const std::map<std::string, std::string> expected = {{"12125550100", "US"},
                                                         {"14165550100", "CA"},
                                                         {"12425550100", "BS"},
                                                         {"18765550100", "JM"},
                                                         {"16585550100", "JM"},
                                                         {"18095550100", "DO"},
                                                         {"18295550100", "DO"},
                                                         {"17875550100", "PR"},
                                                         {"16715550100", "GU"},
                                                         {"17215550100", "SX"},
                                                         {"1", "US"},
                                                         {"18005550100", "US"},
                                                         {"74951234567", "RU"},
                                                         {"77271234567", "KZ"},
                                                         {"76123456789", "KZ"},
                                                         {"442071234567", "GB"},
                                                         {"441481123456", "GG"},
                                                         {"441534123456", "JE"},
                                                         {"441624123456", "IM"},
                                                         {"447911123456", "GG"},
                                                         {"447911223456", "GB"},
                                                         {"447797123456", "JE"},
                                                         {"447624123456", "IM"},
                                                         {"390612345", "IT"},
                                                         {"390669812345", "VA"},
                                                         {"358912345", "FI"},
                                                         {"3581812345", "AX"},
                                                         {"4722123456", "NO"},
                                                         {"4779123456", "SJ"},
                                                         {"61891621234", "CC"},
                                                         {"61891641234", "CX"},
                                                         {"61212345678", "AU"},
                                                         {"262262123456", "RE"},
                                                         {"262692123456", "RE"},
                                                         {"262269123456", "YT"},
                                                         {"262639123456", "YT"},
                                                         {"29022222", "SH"},
                                                         {"2908123", "TA"},
                                                         {"590590201234", "GP"},
                                                         {"590590271234", "BL"},
                                                         {"590590771234", "MF"},
                                                         {"59991234567", "CW"},
                                                         {"5993181234", "BQ"},
                                                         {"5997171234", "BQ"},
                                                         {"672312345", "NF"},
                                                         {"672106123", "AQ"},
                                                         {"9715012345", "AE"},
                                                         {"38344123456", "XK"}};
    for (const auto& [number, country] : expected)
        EXPECT_EQ(country_of(number), country) << number;
}

}  // namespace
}  // namespace tollgate::daemon
