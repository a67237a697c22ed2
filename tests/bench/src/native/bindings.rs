//! The SDK's types under the names that wasmtime gives its own: one type where it
//! has two, because a plugin's types own what they hold.

/// `A` for what is handed over, with a lifetime of no use; `AParam` and `AResult`
/// for what goes both ways; the rest as it is.
macro_rules! types {
    ($from:path: lent [$($lent:ident),*] both [$($both:ident as $param:ident | $result:ident),*] plain [$($plain:ident),*]) => {
        use $from as from;
        pub(crate) use from::{$($plain),*};
        $(pub(crate) type $lent<'a> = from::$lent;)*
        $(
            pub(crate) type $param<'a> = from::$both;
            pub(crate) type $result = from::$both;
        )*
    };
}

pub(crate) mod cambist {
    pub(crate) mod plugin {
        pub(crate) mod types {
            types!(::cambist_sdk::bindings::imports::cambist::plugin::types: lent [Context] both [EntityRef as EntityRefParam | EntityRefResult, Extension as ExtensionParam | ExtensionResult, Reason as ReasonParam | ReasonResult] plain [EntityKind, Decimal, Violation, Fault]);
        }
        pub(crate) mod canonical {
            types!(::cambist_sdk::bindings::imports::cambist::plugin::canonical: lent [] both [Address as AddressParam | AddressResult, Account as AccountParam | AccountResult, Contact as ContactParam | ContactResult, Opportunity as OpportunityParam | OpportunityResult, ContractLine as ContractLineParam | ContractLineResult, Contract as ContractParam | ContractResult, Milestone as MilestoneParam | MilestoneResult, Project as ProjectParam | ProjectResult, Resource as ResourceParam | ResourceResult, Timesheet as TimesheetParam | TimesheetResult, Expense as ExpenseParam | ExpenseResult, InvoiceLine as InvoiceLineParam | InvoiceLineResult, Invoice as InvoiceParam | InvoiceResult, Allocation as AllocationParam | AllocationResult, Payment as PaymentParam | PaymentResult, ChangeKind as ChangeKindParam | ChangeKindResult, Change as ChangeParam | ChangeResult, Entity as EntityParam | EntityResult] plain [OpportunityStatus, ContractStatus, BillingMethod, ProjectStatus, TimesheetStatus, ExpenseStatus, InvoiceKind, InvoiceStatus, PaymentDirection, PaymentStatus]);
        }
        pub(crate) mod assessments {
            types!(::cambist_sdk::bindings::imports::cambist::plugin::assessments: lent [] both [Rate as RateParam | RateResult, AppliedRate as AppliedRateParam | AppliedRateResult, LineTax as LineTaxParam | LineTaxResult, TaxTotal as TaxTotalParam | TaxTotalResult, Assessment as AssessmentParam | AssessmentResult] plain [Treatment]);
        }
    }
}

pub(crate) mod exports {
    pub(crate) mod cambist {
        pub(crate) mod plugin {
            pub(crate) mod mapping {
                types!(::cambist_sdk::bindings::mapping::exports::cambist::plugin::mapping: lent [Inbound, Outbound] both [] plain [Action, Command, Plan, Record, RecordKey, RecordName]);
            }
            pub(crate) mod policy {
                types!(::cambist_sdk::bindings::policy::exports::cambist::plugin::policy: lent [Approval, Proposal] both [] plain [Decision, Verdict]);
            }
            pub(crate) mod tax {
                types!(::cambist_sdk::bindings::tax::exports::cambist::plugin::tax: lent [Document, DocumentLine, Party] both [] plain [DocumentKind]);
            }
            pub(crate) mod invoicing {
                types!(::cambist_sdk::bindings::invoicing::exports::cambist::plugin::invoicing: lent [Billable] both [] plain [Draft]);
            }
        }
    }
}
