"""What the demo hospital treats, prescribes and measures: the shape of its invented data."""

from typing import NamedTuple


class Drug(NamedTuple):
    """A drug of one department.

    Attributes:
        doses_mg: usual single doses in milligrams.
        winter: how much more it is prescribed in midwinter than on average (0 = no season).
        trend: relative growth over the whole period (-0.6 = falls by 60 %).
    """

    name: str
    weight: float
    doses_mg: tuple[str, ...]
    winter: float = 0.0
    trend: float = 0.0


class LabTest(NamedTuple):
    """A laboratory test with its usual distribution and reference range."""

    name: str
    unit: str
    mean: float
    spread: float
    low: float
    high: float
    decimals: int = 1


class Diagnosis(NamedTuple):
    """An ICD-10 code with its name, relative frequency, and winter peak as in Drug."""

    code: str
    name: str
    weight: float
    winter: float = 0.0


class DepartmentProfile(NamedTuple):
    """One department: its people, its patients and what it does for them."""

    code: str
    name: str
    share: float
    doctors: dict[str, float]
    ages: tuple[int, int, int]
    stay_days: float
    drugs: tuple[Drug, ...]
    diagnoses: tuple[Diagnosis, ...]
    tests: tuple[str, ...]

    @property
    def head(self) -> str:
        """The user name of the head: the first of the doctors."""
        return next(iter(self.doctors))


INSURERS = {
    "Northfield Health": 0.31,
    "Medicare": 0.27,
    "BluePeak": 0.18,
    "Harbor Mutual": 0.12,
    "Medicaid": 0.09,
    "Self-pay": 0.03,
}

TESTS = {
    test.name: test
    for test in (
        LabTest("hemoglobin", "g/dL", 13.6, 1.5, 12.0, 17.0),
        LabTest("leukocytes", "10^9/L", 7.2, 2.1, 4.0, 11.0),
        LabTest("platelets", "10^9/L", 250, 65, 150, 400, 0),
        LabTest("creatinine", "mg/dL", 0.98, 0.24, 0.6, 1.3, 2),
        LabTest("potassium", "mmol/L", 4.3, 0.42, 3.5, 5.1),
        LabTest("sodium", "mmol/L", 139.5, 2.9, 135, 145, 0),
        LabTest("glucose", "mg/dL", 104, 24, 70, 125, 0),
        LabTest("hba1c", "%", 6.4, 1.2, 4.0, 6.5),
        LabTest("ldl", "mg/dL", 116, 31, 0, 130, 0),
        LabTest("troponin", "ng/L", 8.5, 4.6, 0, 14),
        LabTest("nt-probnp", "pg/mL", 290, 170, 0, 450, 0),
        LabTest("inr", "ratio", 1.2, 0.4, 0.8, 1.7, 2),
        LabTest("crp", "mg/L", 6.2, 4.8, 0, 10),
        LabTest("alt", "U/L", 29, 12, 7, 56, 0),
        LabTest("cea", "ng/mL", 2.6, 1.7, 0, 5),
        LabTest("ca-125", "U/mL", 21, 11, 0, 35),
        LabTest("tsh", "mIU/L", 2.2, 1.1, 0.4, 4.0, 2),
        LabTest("vitamin-d", "ng/mL", 29, 9, 20, 60),
        LabTest("pao2", "mmHg", 83, 9, 75, 100, 0),
        LabTest("paco2", "mmHg", 41, 5, 35, 45, 0),
        LabTest("lithium", "mmol/L", 0.74, 0.18, 0.6, 1.0, 2),
        LabTest("ferritin", "ng/mL", 108, 66, 20, 250, 0),
    )
}

DEPARTMENTS = (
    DepartmentProfile(
        "cardiology",
        "Cardiology",
        0.19,
        {"helen": 0.12, "adams": 0.34, "castro": 0.30, "dubois": 0.24},
        (38, 67, 92),
        4.6,
        (
            Drug("atorvastatin", 0.24, ("20", "40", "80")),
            Drug("metoprolol", 0.19, ("25", "50", "100")),
            Drug("apixaban", 0.17, ("2.5", "5"), trend=1.1),
            Drug("warfarin", 0.12, ("2", "5"), trend=-0.7),
            Drug("lisinopril", 0.16, ("5", "10", "20"), winter=0.1),
            Drug("furosemide", 0.12, ("20", "40", "80"), winter=0.2),
        ),
        (
            Diagnosis("I10", "Essential hypertension", 0.30),
            Diagnosis("I25.1", "Atherosclerotic heart disease", 0.22),
            Diagnosis("I48.0", "Paroxysmal atrial fibrillation", 0.18),
            Diagnosis("I50.9", "Heart failure, unspecified", 0.17, 0.35),
            Diagnosis("I21.4", "Non-ST elevation myocardial infarction", 0.127, 0.3),
            Diagnosis("I42.6", "Alcoholic cardiomyopathy", 0.003),
        ),
        (
            "troponin",
            "nt-probnp",
            "ldl",
            "inr",
            "potassium",
            "creatinine",
            "hemoglobin",
        ),
    ),
    DepartmentProfile(
        "oncology",
        "Oncology",
        0.14,
        {"okoye": 0.20, "baker": 0.42, "eriksen": 0.38},
        (32, 62, 88),
        5.8,
        (
            Drug("capecitabine", 0.22, ("500", "1000")),
            Drug("tamoxifen", 0.18, ("20",), trend=-0.2),
            Drug("letrozole", 0.17, ("2.5",), trend=0.3),
            Drug("ondansetron", 0.25, ("4", "8")),
            Drug("dexamethasone", 0.18, ("4", "8")),
        ),
        (
            Diagnosis("C50.9", "Malignant neoplasm of breast", 0.31),
            Diagnosis("C34.9", "Malignant neoplasm of lung", 0.21),
            Diagnosis("C18.9", "Malignant neoplasm of colon", 0.22),
            Diagnosis("C61", "Malignant neoplasm of prostate", 0.20),
            Diagnosis("C56.9", "Malignant neoplasm of ovary", 0.057),
            Diagnosis("C69.3", "Malignant neoplasm of choroid", 0.003),
        ),
        ("leukocytes", "platelets", "hemoglobin", "cea", "ca-125", "alt", "creatinine"),
    ),
    DepartmentProfile(
        "neurology",
        "Neurology",
        0.12,
        {"fontaine": 0.30, "gupta": 0.40, "haas": 0.30},
        (20, 58, 90),
        4.1,
        (
            Drug("levetiracetam", 0.30, ("500", "1000")),
            Drug("sumatriptan", 0.22, ("50", "100")),
            Drug("levodopa", 0.24, ("100", "200")),
            Drug("clopidogrel", 0.24, ("75",), trend=0.2),
        ),
        (
            Diagnosis("G40.9", "Epilepsy, unspecified", 0.27),
            Diagnosis("G43.9", "Migraine, unspecified", 0.27),
            Diagnosis("G20", "Parkinson disease", 0.19),
            Diagnosis("I63.9", "Cerebral infarction", 0.25, 0.2),
            Diagnosis("G61.0", "Guillain-Barre syndrome", 0.02, 0.3),
        ),
        ("sodium", "glucose", "creatinine", "platelets", "inr"),
    ),
    DepartmentProfile(
        "orthopedics",
        "Orthopedics",
        0.13,
        {"ivanov": 0.34, "jansen": 0.33, "keller": 0.33},
        (10, 52, 90),
        3.4,
        (
            Drug("ibuprofen", 0.34, ("400", "600")),
            Drug("acetaminophen", 0.30, ("500", "1000")),
            Drug("oxycodone", 0.13, ("5", "10"), trend=-0.6),
            Drug("enoxaparin", 0.23, ("40",)),
        ),
        (
            Diagnosis("M16.1", "Osteoarthritis of hip", 0.27),
            Diagnosis("M17.1", "Osteoarthritis of knee", 0.30),
            Diagnosis("S72.0", "Fracture of neck of femur", 0.22, 0.5),
            Diagnosis("S52.5", "Fracture of lower end of radius", 0.21, 0.4),
        ),
        ("hemoglobin", "crp", "leukocytes", "vitamin-d"),
    ),
    DepartmentProfile(
        "pulmonology",
        "Pulmonology",
        0.13,
        {"laurent": 0.30, "moreau": 0.36, "nakamura": 0.34},
        (25, 61, 90),
        5.2,
        (
            Drug("salbutamol", 0.32, ("2", "4"), winter=0.7),
            Drug("tiotropium", 0.24, ("0.018",), trend=0.3),
            Drug("prednisone", 0.20, ("10", "20", "40"), winter=0.6),
            Drug("amoxicillin", 0.24, ("500", "875"), winter=0.9),
        ),
        (
            Diagnosis("J44.1", "COPD with acute exacerbation", 0.33, 0.6),
            Diagnosis("J45.9", "Asthma, unspecified", 0.26, 0.2),
            Diagnosis("J18.9", "Pneumonia, unspecified", 0.26, 0.9),
            Diagnosis("J10.1", "Influenza with respiratory signs", 0.12, 1.8),
            Diagnosis("J84.1", "Pulmonary fibrosis", 0.03),
        ),
        ("pao2", "paco2", "crp", "leukocytes", "hemoglobin"),
    ),
    DepartmentProfile(
        "endocrinology",
        "Endocrinology",
        0.12,
        {"osei": 0.32, "pereira": 0.35, "quist": 0.33},
        (18, 54, 86),
        2.9,
        (
            Drug("metformin", 0.36, ("500", "850", "1000")),
            Drug("semaglutide", 0.20, ("0.5", "1"), trend=2.4),
            Drug("levothyroxine", 0.28, ("0.05", "0.1")),
            Drug("glipizide", 0.16, ("5", "10"), trend=-0.5),
        ),
        (
            Diagnosis("E11.9", "Type 2 diabetes mellitus", 0.48),
            Diagnosis("E10.9", "Type 1 diabetes mellitus", 0.16),
            Diagnosis("E03.9", "Hypothyroidism, unspecified", 0.22),
            Diagnosis("E05.0", "Thyrotoxicosis with diffuse goiter", 0.12),
            Diagnosis("E24.0", "Pituitary-dependent Cushing disease", 0.02),
        ),
        ("hba1c", "glucose", "tsh", "ldl", "creatinine", "vitamin-d"),
    ),
    DepartmentProfile(
        "pediatrics",
        "Pediatrics",
        0.10,
        {"rossi": 0.34, "sato": 0.33, "tanaka": 0.33},
        (3, 8, 17),
        2.4,
        (
            Drug("amoxicillin", 0.38, ("125", "250"), winter=0.8),
            Drug("salbutamol", 0.24, ("2",), winter=0.5),
            Drug("acetaminophen", 0.38, ("120", "250"), winter=0.4),
        ),
        (
            Diagnosis("J21.0", "Acute bronchiolitis due to RSV", 0.30, 1.6),
            Diagnosis("H66.9", "Otitis media, unspecified", 0.28, 0.8),
            Diagnosis("A09", "Infectious gastroenteritis", 0.24, 0.4),
            Diagnosis("J45.9", "Asthma, unspecified", 0.17),
            Diagnosis("M30.3", "Kawasaki disease", 0.01),
        ),
        ("leukocytes", "crp", "hemoglobin", "ferritin"),
    ),
    DepartmentProfile(
        "psychiatry",
        "Psychiatry",
        0.07,
        {"ulrich": 0.34, "vega": 0.33, "weiss": 0.33},
        (18, 43, 80),
        11.0,
        (
            Drug("sertraline", 0.36, ("50", "100"), winter=0.2, trend=0.3),
            Drug("quetiapine", 0.24, ("25", "100", "200")),
            Drug("lithium", 0.16, ("300", "450")),
            Drug("escitalopram", 0.24, ("10", "20"), winter=0.2),
        ),
        (
            Diagnosis("F33.1", "Recurrent depressive disorder, moderate", 0.42, 0.35),
            Diagnosis("F31.9", "Bipolar disorder, unspecified", 0.20),
            Diagnosis("F20.0", "Paranoid schizophrenia", 0.16),
            Diagnosis("F41.1", "Generalized anxiety disorder", 0.22),
        ),
        ("lithium", "tsh", "sodium", "alt"),
    ),
)

COMMON_TESTS = ("hemoglobin", "leukocytes", "creatinine", "potassium", "glucose")

SENTENCES = {
    "admission": (
        "Admitted with {diagnosis}. Stable on arrival; history taken and medication reviewed.",
        "Referred by the family doctor for {diagnosis}. Plan agreed with the patient.",
        "Admitted through the emergency department with {diagnosis}.",
    ),
    "progress": (
        "Comfortable overnight. Findings consistent with {diagnosis}; treatment continues.",
        "Improving. Laboratory values discussed on the round; next check in the morning.",
        "Slept poorly. Dose adjusted; {diagnosis} otherwise under control.",
    ),
    "discharge": (
        "Discharged home after treatment for {diagnosis}. Follow-up in four weeks.",
        "Discharged with written instructions; family doctor informed about {diagnosis}.",
    ),
    "psychiatric": (
        "In confidence: reports low mood since admission for {diagnosis}; no acute risk.",
        "In confidence: speaks of conflict at home and fear of {diagnosis}. Counselling offered.",
        "In confidence: earlier episode of depression disclosed; wishes that nobody else reads this.",
    ),
}
