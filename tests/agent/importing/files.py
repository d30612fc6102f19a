"""Tag lists as others write them, made by hand after the layouts that public parsers and their tests show."""

from __future__ import annotations

CRLF = "\r\n"

VER31_XGI = CRLF.join([
    "Remark,Title=CSV File", "Remark,Date=2025-3-6-13:41:54.459", "Remark,Version=Ver3.1",
    "Remark,PLC Name=프레스 1호", "Remark,CPU Type=XGI-CPUUN", "Remark,EIP OnlineWrite=0",
    "Type,Scope,Variable,Address,DataType,Property,Comment",
    'Tag,GlobalVariable,"AGV_M_I_AUTO_MODE",%MW24000.0,"BOOL",,"AGV 자동모드"',
    'Tag,GlobalVariable,"생산수량",%MD100,"UDINT",,"총 생산수량"',
    'Tag,GlobalVariable,"양품",%MD101,"UDINT",,""',
    'Tag,GlobalVariable,"설정온도",%MW10,"REAL",,"온도 설정값, 1존"',
    'Tag,GlobalVariable,"바이트값",%MB41,"BYTE",,""',
    'Tag,GlobalVariable,"LOT_NO",%MB500,"STRING[20]",,"로트 번호"',
    'Tag,GlobalVariable,"TON_1",,"TON",,""',
    'Tag,GlobalVariable,"배열",%MW300,"ARRAY[0..9] OF INT",,""',
]) + CRLF  # fmt: skip

VER31_XGK = CRLF.join([
    "Remark,CPU Type=XGK-CPUE",
    "Type,Scope,Variable,Address,DataType,Property,Comment",
    'Tag,VariableComment,"QX_CV_1_ADV_SV",P00104,"BIT",,"CV1 전진 출력"',
    'Tag,VariableComment,"운전중",M0012F,"BIT",,""',
    'Tag,VariableComment,"IX_COUNT",P1200,"WORD",,"word"',
    'Tag,VariableComment,"현재값",D00101,"REAL",,"유압 현재값"',
    'Tag,VariableComment,"",D00200,"WORD",,"이름 없는 설명"',
    'Tag,VariableComment,"나쁜주소",Q00100,"WORD",,""',
    'Tag,VariableComment,"유지시간",T0037,"BIT/WORD",,""',
]) + CRLF  # fmt: skip

XGB = CRLF.join([
    "Name,Type,Device,Use,HMI,Description",
    "RUN_LAMP,BIT,P00105,1,1,운전 램프",
    "NG_CNT,WORD,D00010,1,1,불량 수량",
    "TEMP,WORD,D00011,1,0,보조",
]) + CRLF  # fmt: skip

LOCAL_10 = CRLF.join([
    "변수 종류,변수,타입,메모리 할당,초기값,리테인,사용 유무,EIP/OPC UA,HMI,비고",
    "VAR,가동신호,BOOL,%MX1603,,,TRUE,,,메인",
    "VAR_EXTERNAL,공용,BOOL,,,,TRUE,,,",
    "VAR,사이클타임,REAL,%MD20,,,TRUE,TRUE,,초",
]) + CRLF  # fmt: skip

GLOBAL_12 = CRLF.join([
    "변수 종류,변수,타입,메모리 할당,초기값,리테인,사용 유무,EIP,OPC UA,HMI,모션,설명문",
    "VAR_GLOBAL,전력량,LREAL,%ML10,,,TRUE,,TRUE,,,누적 kWh",
    "VAR_GLOBAL,비상정지,BOOL,%IX0.2.5,,,TRUE,,,TRUE,,",
    "VAR_GLOBAL,내부,INT,%MW77,,,TRUE,,,,,",
    "VAR_GLOBAL,날짜,DATE,%MW90,,,TRUE,,,,,",
]) + CRLF  # fmt: skip

GENERIC_KO = CRLF.join([
    "설비 태그 목록;;;;;", "이름;주소;자료형;단위;배율;설명",
    "유온;Ｄ００１００;INT;°C;0,1;유압 탱크",
    "가동;M0012F;BOOL;;;",
    "전류;D00110;REAL;A;;모터",
    "주소없음;;INT;;;",
    "배율이상;D00120;INT;;없음;",
]) + CRLF  # fmt: skip

GENERIC_EN = """\
Tag\tAddress\tData Type\tUnits\tScale\tOffset\tDescription
motor current\tholding:8\tfloat32\tA\t\t\tmain motor
oil temp\t300031\tint16\tdegC\t0.1\t-40\t
running\tcoil:0\tbool\t\t\t\t
five\t40009\tint16\t\t\t\t
"""
